import { Journal, type JournalOptions } from '../../src/journal/journal.ts'
import type { Log } from '../../src/log.ts'
import type { World } from '../../src/world/world.ts'
import { message } from '../kill/feeder.ts'

export const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Opens a journal as the recorder would, with small stores and quick commits. */
export function openJournal(
  world: World,
  directory: string,
  options: Partial<JournalOptions> = {},
  log = silent
): Promise<Journal> {
  const small = { commitIntervalMs: 50, storeBytes: 60_000, storeAgeMs: 7 * 86_400_000, reserveBytes: 0 }
  return Journal.open(world, { directory, clockTrusted: true, version: '1.2.3', ...small, ...options }, log)
}

/** The next message of a stream goes into a journal; gives it as it was appended. */
export function append(journal: Journal, stream: string, number: number): ReturnType<Journal['append']> {
  return journal.append({ stream, payload: message(stream, number), binary: number % 5 === 0, origin: 'relay' })
}
