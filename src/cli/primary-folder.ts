import { join, resolve } from 'node:path'
import { fetchPrimary, isRemote } from '../sync/reconcile-fetch.ts'
import { PrimaryFolder } from '../sync/reconcile-folder.ts'
import { withReader } from './local/open.ts'
import type { Call } from './terminal.ts'

/**
 * Opens a primary's DATA_PATH, which is fetched where it is on another machine, and removed after.
 * @param place a folder, or `user@host:DIR`
 */
export async function withPrimaryFolder<T>(
  { world, terminal }: Call,
  place: string,
  dataDirectory: string,
  use: (folder: PrimaryFolder) => Promise<T>
): Promise<T> {
  const { files } = world
  const streams = await withReader(world, dataDirectory, (reader) => reader.streams())
  if (!isRemote(place)) return use(await PrimaryFolder.open(files, resolve(place), streams))
  const fetched = join(dataDirectory, 'primary.fetched')
  await files.remove(fetched)
  await files.makeDirectory(fetched, 0o700)
  try {
    await fetchPrimary(world, place, fetched, terminal.stop)
    return await use(await PrimaryFolder.open(files, fetched, streams))
  } finally {
    await files.remove(fetched)
  }
}
