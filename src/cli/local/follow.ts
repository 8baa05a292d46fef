import type { Frame } from '../../journal/entry.ts'
import type { JournalReader } from '../../journal/reading.ts'

/** A journal that is being written. */
export interface Following extends Pick<JournalReader, 'cursor' | 'nextPosition'> {
  /** Resolves when everything appended so far is on the disk. */
  commit(): Promise<void>
}

/** The frames of a stream from now on, as they are committed, until `until` is aborted; then those that had come by then. */
export async function* follow(journal: Following, stream: string, until: AbortSignal): AsyncGenerator<Frame[]> {
  const cursor = journal.cursor({ position: journal.nextPosition, streams: new Set([stream]) })
  for (let last = false; !last; ) {
    last = until.aborted
    if (last) await journal.commit()
    else await cursor.wait(until)
    for (let entries = await cursor.next(); entries.length > 0; entries = await cursor.next()) {
      yield entries.filter((entry) => entry.kind === 'frame')
    }
  }
}
