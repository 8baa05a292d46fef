import { join, resolve } from 'node:path'
import { fetchPrimary, isRemote, ownSsh } from '../sync/reconcile-fetch.ts'
import { PrimaryFolder } from '../sync/reconcile-folder.ts'
import type { Option } from './command.ts'
import { withReader } from './local/open.ts'
import type { Call } from './terminal.ts'

/** Options of every command that reads a primary's DATA_PATH. */
export const primaryOptions = {
  ssh: {
    value: 'COMMAND',
    help: 'How rsync connects to another machine, e.g. "ssh -p 2222 -i KEY"; default ssh, which asks nobody anything.'
  }
} as const satisfies Record<string, Option>

/**
 * Opens a primary's DATA_PATH, which is fetched where it is on another machine, and removed after.
 * @param place a folder, or `user@host:DIR`
 */
export async function withPrimaryFolder<T>(
  { world, terminal, options }: Call,
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
    const ssh = options.text('ssh') ?? ownSsh
    await fetchPrimary(world, { from: place, into: fetched, ssh }, terminal.stop)
    return await use(await PrimaryFolder.open(files, fetched, streams))
  } finally {
    await files.remove(fetched)
  }
}
