import type { JournalEvent, NewFrame } from '../../journal/entry.ts'
import type { DiskReport } from '../../journal/journal.ts'
import type { JournalReader } from '../../journal/reading.ts'
import type { RepairReport } from '../../journal/repairs.ts'

/** A journal as its one writer has it. */
export interface OwnJournal extends JournalReader {
  append(frame: NewFrame): unknown
  note(event: Extract<JournalEvent, { event: 'imported' }>): void
  /** Resolves when everything appended so far is on the disk. */
  commit(): Promise<void>
  repair(store?: number, progress?: (done: number, total: number) => void): Promise<RepairReport>
  lookForDisk(): Promise<DiskReport>
  /** Bytes appended and not yet on the disk. */
  readonly pendingBytes: number
}
