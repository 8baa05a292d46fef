import type { ReaderStatus } from '../../analytics/running-reader.ts'
import type { StandbyStatus } from '../../analytics/standby/standby.ts'
import type { Report } from '../../health/report.ts'
import type { Verdict } from '../../health/verdict.ts'
import type { DiskReport } from '../../journal/journal.ts'
import type { SyncStatus } from '../../sync/sync.ts'
import type { Ms, Us } from '../../world/time.ts'

/** What a running Understudy says of itself. */
export interface Status {
  readonly version: string
  readonly site: string
  readonly startedUs: Us
  readonly nowUs: Us
  readonly journal: {
    readonly directory: string
    readonly firstPosition: number
    /** One above the last entry on the disk. */
    readonly nextPosition: number
    /** Received and not yet on the disk. */
    readonly pendingBytes: number
    readonly disk: DiskReport
  }
  readonly streams: readonly StreamStatus[]
  /** How far the students' graphs have come; absent before they have begun. */
  readonly graphs?: ReaderStatus | undefined
  /** How it stands with the primary. */
  readonly sync: SyncStatus
  /** How everything stands; absent where a command works on the data folder that records nothing. */
  readonly health?: HealthStatus | undefined
  /** What the configuration or a credential file has wrong, or soon will. */
  readonly problems: ReadonlyArray<{
    readonly code: string
    readonly detail: string
    readonly stream?: string | undefined
  }>
}

/** The verdict, and what it is made of that does not stand elsewhere. */
export interface HealthStatus extends Pick<Report, 'inTerm' | 'clock' | 'machine'> {
  readonly verdict: Verdict
}

/** What is being recorded. */
export type Recording = Pick<Status, 'streams' | 'problems' | 'health'>

export interface StreamStatus {
  readonly stream: string
  readonly heard: boolean
  /** Why it is not heard. */
  readonly cause: string | undefined
  readonly code: string | undefined
  /** Frames since the start. */
  readonly frames: number
  /** When the last of them came. */
  readonly lastUs: Us | undefined
  /** Where it has a token. */
  readonly tokenExpiresMs: Ms | undefined
  /** How the primary answers there; absent where nothing was asked or answered since the start. */
  readonly primary: StandbyStatus | undefined
}
