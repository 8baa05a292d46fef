import type { World } from '../world/world.ts'

/** A name for what is set aside in a folder, with the day, that is not taken. */
export async function datedName({ files, clock }: World, folder: string, of: string): Promise<string> {
  const base = `${new Date(clock.wallUs() / 1000).toISOString().slice(0, 10)}-${of}`
  let name = base
  for (let again = 2; await files.info(`${folder}/${name}`); again++) name = `${base}-${again}`
  return name
}
