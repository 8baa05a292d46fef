import type { Ms } from '../world/time.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Where the verdict's rules draw their lines. */
export interface Limits {
  /** So long a stream may be unheard. */
  readonly unheardMs: Ms
  /** So long a stream that was added may stay without a first message. */
  readonly neverSpokeMs: Ms
  /** So long before it expires a new token is asked for. */
  readonly tokenMs: Ms
  /** So long what comes may wait for its commit. */
  readonly commitMs: Ms
  /** So long after its sealing a folder may be unconfirmed. */
  readonly syncMs: Ms
  /** So long after its end a window may be unsealed. */
  readonly captureMs: Ms
  /** So long before the disk is full it is told of, and so long before it is urgent. */
  readonly diskMs: Ms
  readonly diskUrgentMs: Ms
  /** This share of a disk's inodes, or of the memory, is to be free. */
  readonly inodesShare: number
  readonly memoryShare: number
  /** So long after the boot the clock may be unsynchronised. */
  readonly clockMs: Ms
  /** So long damage that was dealt with is told of. */
  readonly damageMs: Ms
  readonly temperatureC: number
  /** A device is to last so much longer. */
  readonly lifeYears: number
  /** What its registers may say is used up of its life, and where that is urgent. */
  readonly lifeUsed: number
  readonly lifeUsedUrgent: number
}

export const defaultLimits: Limits = {
  unheardMs: 5 * MINUTE_MS,
  neverSpokeMs: 7 * DAY_MS,
  tokenMs: 30 * DAY_MS,
  commitMs: 30_000,
  syncMs: 2 * DAY_MS,
  captureMs: 2 * HOUR_MS,
  diskMs: 14 * DAY_MS,
  diskUrgentMs: DAY_MS,
  inodesShare: 0.05,
  memoryShare: 0.05,
  clockMs: 5 * MINUTE_MS,
  damageMs: 14 * DAY_MS,
  temperatureC: 80,
  lifeYears: 1,
  lifeUsed: 0.8,
  lifeUsedUrgent: 1
}
