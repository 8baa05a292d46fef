import type { World } from '../world/world.ts'

/**
 * Copies a store that nobody writes to. Tables never change, so a second name for them is a copy.
 * @param without names of files to leave out
 */
export async function copyStore(
  { files }: World,
  from: string,
  to: string,
  without: readonly string[] = []
): Promise<void> {
  await files.makeDirectory(to, 0o700)
  for (const { name, kind } of await files.list(from)) {
    // LOCK is the running process's own, LOG and LOG.old are LevelDB's diary, what is PROVED counts for the original only.
    if (kind !== 'file' || without.includes(name) || /^(LOCK|LOG.*|PROVED.*)$/.test(name)) continue
    const copy = async (): Promise<void> => files.writeFile(`${to}/${name}`, await files.readFile(`${from}/${name}`))
    // A store that may not be written, or lies on another disk, does not let its files have a second name.
    if (name.endsWith('.ldb')) await files.link(`${from}/${name}`, `${to}/${name}`).catch(copy)
    else await copy()
  }
}
