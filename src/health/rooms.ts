import type { CaptureStatus } from '../captures/capture-status.ts'
import type { ErrorCode } from '../errors.ts'
import type { TimeSource } from '../journal/entry.ts'
import type { DamagedStore, DiskReport } from '../journal/journal.ts'
import type { DiskFailure } from '../journal/without-room.ts'
import type { SyncStatus } from '../sync/sync.ts'
import type { Ms, Us } from '../world/time.ts'
import type { PrimaryReport, ProblemReport } from './report.ts'

/** What the other rooms say of themselves when they are asked. */
export interface Rooms {
  /** At once, and cheaply: it is asked every few seconds. */
  readonly streams: () => readonly StreamFacts[]
  readonly problems: () => readonly ProblemReport[]
  readonly journal: () => JournalFacts
  /** These are asked once a minute; `undefined` while they cannot be. */
  readonly captures: () => Promise<readonly CaptureStatus[]> | undefined
  readonly sync: () => Promise<SyncStatus> | undefined
  /** Where the primary is watched. */
  readonly primary?: () => PrimaryReport | undefined
}

export interface StreamFacts {
  readonly stream: string
  readonly heard: boolean
  /** Since when it is heard or is not, monotonic time. */
  readonly sinceUs: Us
  readonly cause?: string | undefined
  readonly code?: ErrorCode | undefined
  /** Since the start, and when the last of them came. */
  readonly frames: number
  readonly lastUs?: Us | undefined
  readonly tokenExpiresMs?: Ms | undefined
  /** Whether the journal has had any frame of it. */
  readonly spoke: boolean
}

export interface JournalFacts {
  readonly open: boolean
  readonly failure?: DiskFailure | undefined
  readonly pendingBytes: number
  readonly pendingMs: Ms
  /** The time, and why it is held to be right. */
  readonly nowUs: Us
  readonly source: TimeSource
  readonly damaged: readonly DamagedStore[]
  readonly disk?: DiskReport | undefined
}
