import { systemCode, UnderstudyError } from '../../errors.ts'
import type { JournalReader } from '../../journal/reading.ts'
import { openSnapshot } from '../../journal/snapshot.ts'
import type { World } from '../../world/world.ts'
import { LocalClient } from './client.ts'
import { findSocket } from './socket-path.ts'

/** The Understudy that runs on a data folder, or `undefined` when none does. */
export async function connectRunning(world: World, dataDirectory: string): Promise<LocalClient | undefined> {
  try {
    return await LocalClient.connect(world.sockets, await findSocket(world.files, dataDirectory))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ECONNREFUSED') return undefined
    throw error
  }
}

/** @throws UNDERSTUDY_NOT_RUNNING */
export async function requireRunning(world: World, dataDirectory: string): Promise<LocalClient> {
  const client = await connectRunning(world, dataDirectory)
  if (client === undefined) throw new UnderstudyError('UNDERSTUDY_NOT_RUNNING', dataDirectory)
  return client
}

/** Reads a data folder's journal by asking the Understudy that runs on it, or where none does from a snapshot. */
export async function withReader<T>(
  world: World,
  dataDirectory: string,
  use: (reader: Omit<JournalReader, 'cursor'>) => Promise<T>
): Promise<T> {
  const client = await connectRunning(world, dataDirectory)
  if (client !== undefined) return use(client)
  const snapshot = await openSnapshot(world, dataDirectory)
  try {
    return await use(snapshot)
  } finally {
    await snapshot.close()
  }
}

/** @throws UNDERSTUDY_UNKNOWN_STREAM for one that the journal knows nothing of */
export async function requireStreams(
  reader: Pick<JournalReader, 'streams'>,
  streams: readonly string[]
): Promise<void> {
  const known = new Set(await reader.streams())
  const unknown = streams.filter((stream) => !known.has(stream))
  if (unknown.length > 0) throw new UnderstudyError('UNDERSTUDY_UNKNOWN_STREAM', unknown.join(', '))
}
