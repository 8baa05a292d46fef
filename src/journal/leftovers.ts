import { systemCode } from '../errors.ts'
import type { Files } from '../world/files.ts'
import type { World } from '../world/world.ts'
import type { CatalogueStore, Removal } from './catalogue.ts'
import type { journalPaths } from './paths.ts'
import { isForbidden } from './without-room.ts'

/*
 * What a cut can leave among the stores. A folder with a number alone is only touched when it is on record that it was
 * to be removed; the others are ours by their names:
 *
 *   NNNNNN.look-…, NNNNNN.salvage, NNNNNN.merging   copies that were being worked on: removed
 *   NNNNNN.old   what a merged store was made of: put back where the merged one is not yet in its place, else removed
 */
const NAME = /^\d{6,}\.(look-[0-9a-f]+|salvage|merging|old)$/

/** Removes copies that were being worked on, and what merged stores were made of. Only at a start: later they are in use. */
export async function clearCopies(files: Files, { stores }: ReturnType<typeof journalPaths>): Promise<void> {
  if (!(await files.info(stores))) return
  for (const { name } of await files.list(stores)) {
    if (NAME.test(name)) await files.remove(`${stores}/${name}`)
  }
}

/** What a merged store was made of, where the merged one is not yet in its place. */
export async function putBackOld(
  files: Files,
  { store }: ReturnType<typeof journalPaths>,
  stores: readonly CatalogueStore[]
): Promise<void> {
  for (const { number, damaged, removed } of stores) {
    const old = `${store(number)}.old`
    if (damaged || removed || (await files.info(store(number))) || !(await files.info(old))) continue
    await files.rename(old, store(number))
  }
}

/** Removes from the disk what the catalogue does not name any more, and what was being made of it when the disk went. */
export async function clearRemoved(
  files: Files,
  { aside, stores, store }: ReturnType<typeof journalPaths>,
  removal: Removal
): Promise<void> {
  if (removal.aside) await files.remove(`${aside}/${removal.aside}`)
  if (removal.what === 'set aside') return
  const own = store(removal.store)
  await files.remove(own)
  for (const { name } of await files.list(stores)) {
    if (NAME.test(name) && `${stores}/${name}`.startsWith(`${own}.`)) await removeCopy(files, `${stores}/${name}`)
  }
  await files.syncDirectory(stores)
}

/** One to which LevelDB adds a file at the same moment is removed by whoever was making it, and now finds its store gone. */
async function removeCopy(files: Files, path: string): Promise<void> {
  try {
    await files.remove(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOTEMPTY') throw error
  }
}

/** In the names of the copies that commands read. */
export const SNAPSHOT = 'snapshot-'

/** A command that was killed has left its copy; one that reads now is younger than this. */
const STALE_MS = 86_400_000

/**
 * Removes copies that nobody reads any more: their hard links keep the space of stores that have been removed. What
 * another user has left stays.
 */
export async function clearSnapshots({ files, clock }: World, directory: string): Promise<void> {
  const nowMs = clock.wallUs() / 1000
  for (const { name } of await files.list(directory)) {
    if (!name.startsWith(SNAPSHOT)) continue
    const info = await files.info(`${directory}/${name}`)
    if (!info || Math.abs(nowMs - info.modifiedMs) <= STALE_MS) continue
    await files.remove(`${directory}/${name}`).catch((error: unknown) => {
      if (!isForbidden(error)) throw error
    })
  }
}
