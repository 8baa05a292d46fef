import type { ErrorCode } from '../errors.ts'
import type { TimeSource } from '../journal/entry.ts'
import type { DamagedStore } from '../journal/journal.ts'
import type { DiskFailure } from '../journal/without-room.ts'
import type { Ms } from '../world/time.ts'

/**
 * What every room says of itself, as one plain object that JSON can carry. Times are ms since 1970. What is absent is not
 * known: not every machine has every sensor, and not every room has spoken yet.
 */
export interface Report {
  readonly format: 1
  readonly version: string
  readonly site: string
  readonly startedMs: Ms
  readonly nowMs: Ms
  /** Whether the labs are in use now; always, where no [[term]] is configured. */
  readonly inTerm: boolean
  readonly streams: readonly StreamReport[]
  /** What the configuration or a credential file has wrong, or soon will. */
  readonly problems: readonly ProblemReport[]
  readonly journal: JournalReport
  readonly captures?: readonly CaptureReport[] | undefined
  readonly sync?: SyncReport | undefined
  readonly clock: ClockReport
  readonly machine: MachineReport
  /** Where it is watched. */
  readonly primary?: PrimaryReport | undefined
}

export interface StreamReport {
  readonly stream: string
  /** `active`: messages came lately; `quiet`: it is heard, and none came; `unheard`: not connected, or no proof of it. */
  readonly state: 'active' | 'quiet' | 'unheard'
  /** Since when it is unheard; at the earliest since the start. */
  readonly unheardSinceMs?: Ms | undefined
  /** Why it is unheard. */
  readonly cause?: string | undefined
  readonly code?: ErrorCode | undefined
  /** Since the start. */
  readonly frames: number
  readonly lastFrameMs?: Ms | undefined
  /** When it was first configured, where the time was known then. */
  readonly addedMs?: Ms | undefined
  /** Whether any frame of it was ever recorded. */
  readonly spoke: boolean
  readonly tokenExpiresMs?: Ms | undefined
}

export interface ProblemReport {
  readonly code: ErrorCode
  readonly detail: string
  readonly stream?: string | undefined
}

export interface JournalReport {
  /** False while it waits for room to be opened. */
  readonly open: boolean
  /** Why nothing can be committed now. */
  readonly failure?: DiskFailure | undefined
  /** Received and not yet on the disk: how much, and for how long the oldest of it. */
  readonly pendingBytes: number
  readonly pendingMs: Ms
  readonly damaged: readonly DamagedStore[]
  readonly dataDisk?: DataDiskReport | undefined
}

interface DataDiskReport {
  /** Whether what comes goes to it, and not to the data folder. */
  readonly used: boolean
  readonly code?: ErrorCode | undefined
  /** How many stores lie on disks that are not there. */
  readonly storesAway: number
}

export interface CaptureReport {
  readonly capture: string
  /** The last sealed folder. */
  readonly folder?: string | undefined
  /** When the oldest window ended that is not sealed. */
  readonly dueSinceMs?: Ms | undefined
  /** It waits for the time to be known. */
  readonly waits: boolean
}

export interface SyncReport {
  /** Whether a primary is configured. */
  readonly configured: boolean
  /** Folders that the primary has proved to have. */
  readonly confirmed: number
  /** Folders that are sealed and not confirmed. */
  readonly unconfirmed: number
  /** When the oldest of these was sealed. */
  readonly behindSinceMs?: Ms | undefined
  /** What the primary has of them is not what was sent. */
  readonly differing: readonly string[]
  readonly failure?: { readonly code: ErrorCode; readonly sinceMs: Ms; readonly nextMs?: Ms | undefined } | undefined
  /** When a pass last went well. */
  readonly doneMs?: Ms | undefined
}

export interface ClockReport {
  /** Why the time is held to be right; `none`: it is not. */
  readonly source: TimeSource
  /** Whether the kernel says that it is synchronised. */
  readonly synchronised: boolean
  /** Which service does it. */
  readonly by?: string | undefined
  /** How much the kernel corrects the oscillator's speed, in ppm. */
  readonly driftPpm?: number | undefined
  /** The most that the time can be wrong by, as the kernel reckons. */
  readonly maxErrorMs?: Ms | undefined
}

export interface MachineReport {
  readonly model?: string | undefined
  readonly uptimeMs?: Ms | undefined
  /** How the boot before this one ended. */
  readonly bootCause?: 'power cut' | 'reboot' | 'watchdog' | undefined
  readonly temperatureC?: number | undefined
  readonly power?: PowerReport | undefined
  readonly memory?: MemoryReport | undefined
  readonly load?: LoadReport | undefined
  /** The data folder's disk, and the data disk where one is used. */
  readonly disks: readonly DiskReport[]
  readonly network?: NetworkReport | undefined
}

/** Each: now, and at any time since the boot. */
export interface PowerReport {
  readonly underVoltage?: Occurrence | undefined
  readonly throttled?: Occurrence | undefined
  /** Slowed down because it is hot. */
  readonly hot?: Occurrence | undefined
}

export interface Occurrence {
  readonly now: boolean
  readonly since: boolean
}

export interface MemoryReport {
  readonly totalBytes: number
  readonly availableBytes: number
  /** This program's own. */
  readonly ownBytes?: number | undefined
}

/** Processes that run or wait to, on average over 1, 5 and 15 minutes. */
export interface LoadReport {
  readonly one: number
  readonly five: number
  readonly fifteen: number
  readonly cores?: number | undefined
}

export interface DiskReport {
  readonly use: 'data folder' | 'data disk'
  readonly freeBytes: number
  readonly totalBytes: number
  readonly freeInodes?: number | undefined
  readonly totalInodes?: number | undefined
  /** When `min_free` is reached at the pace of the last days, if that is to be expected. */
  readonly fullMs?: Ms | undefined
  /** So much is to stay free; below it the oldest is removed. */
  readonly minFreeBytes: number
  readonly wear?: WearReport | undefined
}

/** Of the whole device, whoever writes to it. */
export interface WearReport {
  readonly device: string
  /** Written since this program started. */
  readonly writtenBytes: number
  readonly writtenPerDayBytes?: number | undefined
  /** How long the stated endurance lasts at this pace, counted from new. */
  readonly lifeYears?: number | undefined
  /** What the device's own registers say is used up of its life, at most; 0 to 1, more when it is exceeded. */
  readonly lifeUsed?: number | undefined
  /** What the device says of its reserve of blocks. */
  readonly reserve?: 'normal' | 'warning' | 'urgent' | undefined
}

export interface NetworkReport {
  /** The one with the default route. */
  readonly interface?: string | undefined
  readonly up: boolean
  /** Of a radio link. */
  readonly signalDbm?: number | undefined
}

export interface PrimaryReport {
  /** Whether it answers what it is asked. */
  readonly available: boolean
  readonly sinceMs: Ms
  /** Whether this machine answers in its place. */
  readonly standingIn: boolean
}
