import type { ImportedFrame } from '../../captures/import.ts'
import { UnderstudyError } from '../../errors.ts'
import type { LocalRequest } from '../../world/sockets.ts'
import type { Answer } from './answers.ts'
import type { OwnJournal } from './own-journal.ts'
import { type FrameJson, frameFromJson, readMessages } from './protocol.ts'

/** What an import may have in memory before it waits for the disk. */
const PENDING_BYTES = 4 << 20

/** Appends frames of an import under their true times, waiting for the disk where it falls behind. */
export async function appendImported(
  journal: Pick<OwnJournal, 'append' | 'note' | 'commit' | 'pendingBytes'>,
  frames: readonly ImportedFrame[]
): Promise<void> {
  /** Up to there what was noted last holds; nothing else may come in between. */
  let noted = 0
  for (const [index, frame] of frames.entries()) {
    const { stream, payload, binary, origin, monoUs, boot, source, wallUs, trueUs = wallUs, timeUncertain } = frame
    const offsetUs = offsetOf(frame)
    if (index >= noted && (offsetUs !== 0 || timeUncertain)) {
      noted = index + 1
      while (isOfSameClock(frame, frames[noted])) noted++
      const clock = { boot, offsetUs, ...(timeUncertain && { timeUncertain }) }
      journal.note({ event: 'imported', frames: noted - index, ...clock })
    }
    journal.append({ stream, payload, binary, origin, stamp: { wallUs: trueUs, monoUs, boot, source } })
    if (index + 1 >= noted && journal.pendingBytes > PENDING_BYTES) await journal.commit()
  }
}

function isOfSameClock(one: ImportedFrame, other: ImportedFrame | undefined): boolean {
  if (other?.boot !== one.boot || other.timeUncertain !== one.timeUncertain) return false
  return offsetOf(other) === offsetOf(one)
}

/** What the clock said minus the true time. */
function offsetOf({ wallUs, trueUs = wallUs }: ImportedFrame): number {
  return wallUs - trueUs
}

/**
 * Takes the frames of imports that other processes make, of one at a time. The asker looked up what is missing in the
 * journal before the position `before`: had another import ended after that, the same frames might come twice.
 */
export class Intake {
  private readonly journal: OwnJournal
  private busy = false
  /** Where the last import ended. */
  private endedAt = 0

  constructor(journal: OwnJournal) {
    this.journal = journal
  }

  async *answer({ query, body }: LocalRequest): Answer {
    if (this.busy || this.endedAt > Number(query.get('before'))) throw new UnderstudyError('UNDERSTUDY_IMPORT_BUSY')
    this.busy = true
    try {
      for await (const messages of readMessages(body)) {
        const items = messages.filter((message) => 'item' in message)
        await appendImported(
          this.journal,
          items.map(({ item }) => frameFromJson(item as FrameJson))
        )
      }
      await this.journal.commit()
      yield [{ result: null }]
    } finally {
      this.busy = false
      this.endedAt = this.journal.nextPosition
    }
  }
}
