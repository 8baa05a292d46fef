import type { ImportedFrame } from '../../captures/import.ts'
import { UnderstudyError } from '../../errors.ts'
import type { LocalRequest } from '../../world/sockets.ts'
import type { Answer } from './answers.ts'
import type { OwnJournal } from './own-journal.ts'
import { type FrameJson, frameFromJson, readMessages } from './protocol.ts'

/** What an import may have in memory before it waits for the disk. */
const PENDING_BYTES = 4 << 20

/** Appends frames of an import, waiting for the disk where it falls behind. */
export async function appendImported(journal: OwnJournal, frames: Iterable<ImportedFrame>): Promise<void> {
  for (const { stream, payload, binary, origin, wallUs, monoUs, boot, source } of frames) {
    journal.append({ stream, payload, binary, origin, stamp: { wallUs, monoUs, boot, source } })
    if (journal.pendingBytes > PENDING_BYTES) await journal.commit()
  }
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
