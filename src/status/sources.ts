import type { StudentGraph } from '../analytics/student-graphs.ts'
import type { CaptureStatus } from '../captures/capture-status.ts'
import type { Report } from '../health/report.ts'
import type { Verdict } from '../health/verdict.ts'
import type { JournalReader } from '../journal/reading.ts'
import type { SyncStatus } from '../sync/sync.ts'
import type { Ms } from '../world/time.ts'

/** What the page is made of: read-only views that other rooms offer. */
export interface StatusSources {
  /** At once, and cheaply. */
  readonly report: () => Report
  readonly verdict: (report: Report) => Verdict
  /** Told of each other verdict. Gives what takes the listener away again. */
  readonly onChange: (listener: () => void) => () => void
  /** `undefined` while it is not open. */
  readonly journal: () => JournalView | undefined
  readonly captures: () => Promise<readonly CaptureStatus[]> | undefined
  readonly sync: () => Promise<SyncStatus> | undefined
  /** Whether the labs were in use. */
  readonly inTerm: (atMs: Ms) => boolean
  /** What was logged last, a line of JSON each, the newest last. */
  readonly logged: () => readonly string[]
  /** Of what it runs on, by name. */
  readonly versions: Readonly<Record<string, string>>
  /** `undefined` while the journal is not open. */
  readonly students: () => AsyncIterable<StudentGraph> | undefined
}

export type JournalView = Pick<JournalReader, 'coverage' | 'range' | 'nextPosition'> & {
  /** Told of each commit. */
  onCommit(listener: () => void): () => void
}
