import type { ErrorCode } from '../errors.ts'
import type { LossCause } from '../relay/listener.ts'
import type { Us } from '../world/time.ts'
import type { DiskFailure } from './without-room.ts'

/** Where an entry stands in the journal; rises by one with each entry and is never used again. */
export type Position = number

/** Why the clock was held to be right: `none` means it was not. */
export type TimeSource = 'ntp' | 'relay' | 'trusted' | 'none'

/** Where a frame came from: heard on the relay, sent by this Pi itself, or imported from a file. */
export type Origin = 'relay' | 'own' | 'import'

/** When an entry was made. */
export interface Stamp {
  /** µs since 1970, as the clock said at that moment. */
  readonly wallUs: Us
  /** µs of monotonic time within `boot`. */
  readonly monoUs: Us
  /** The boot's id; empty where it is not known (an imported file without it). */
  readonly boot: string
  readonly source: TimeSource
}

/** An entry's place in what a cursor gives. */
interface Given {
  /** Set when it was passed over as damaged and has been salvaged since: what follows it was given before. */
  readonly late?: true
}

/** A frame as it came. */
export interface Frame extends Stamp, Given {
  readonly kind: 'frame'
  readonly position: Position
  readonly stream: string
  /** Counts the frames of a stream from 1, without holes. */
  readonly seq: number
  readonly origin: Origin
  /** Whether it came as a binary websocket frame. */
  readonly binary: boolean
  readonly payload: Buffer
  /**
   * Given by a range where the clock was not held to be right when it was recorded: wall time as it is known now, by boot
   * and monotonic time; of an imported one, as it was known where it was recorded.
   */
  readonly trueUs?: Us
  /** Set with it where the boot never knew the time: then it is only bounded by the boots before and after. */
  readonly timeUncertain?: true
  /** Set when the payload was erased: then `payload` holds what is left of it, often nothing. */
  readonly erased?: Erasure
}

/** A frame without its place, which the journal gives it. */
export interface NewFrame {
  readonly stream: string
  readonly payload: Buffer
  readonly binary: boolean
  readonly origin: Origin
  /** Default: now. */
  readonly stamp?: Stamp
}

/** Who erased a frame's payload and when, with what still proves it. */
export interface Erasure {
  readonly by: string
  readonly atUs: Us
  /** Length of the payload as it was. */
  readonly payloadBytes: number
  /** Its salted digest, in hex (see chain.ts). */
  readonly digest: string
  /** Digest of what is left of it, SHA-256 in hex. */
  readonly restDigest: string
}

/** Why a stream was not heard. */
export type GapCause =
  | 'not started'
  | LossCause
  | 'host rebooted'
  | DiskFailure
  | 'store damaged'
  | 'store unread'
  | 'disk away'
  | 'not kept'

/** Whether a stream is heard, or why it is not. */
export type Standing = 'heard' | { readonly cause: GapCause; readonly code?: ErrorCode }

/** What stays on record of a sealed folder of a capture. */
export interface Sealed {
  readonly capture: string
  readonly folder: string
  /** The window that it is of; absent where it was sealed without any time. */
  readonly window?: { readonly label: string; readonly fromUs: Us; readonly toUs: Us }
  /** Instead: the positions that it holds, `to` exclusive. */
  readonly undated?: { readonly from: Position; readonly to: Position }
  /** Up to where the journal was read, exclusive. */
  readonly before: Position
  /** What could not be read then. */
  readonly missing: ReadonlyArray<{ readonly from: Position; readonly to: Position }>
  /** Every frame before it is in this folder or in one that was sealed earlier. */
  readonly completeBelow: Position
  /** By what the clock was held to be right; absent where an older release has noted it. */
  readonly timeSources?: readonly TimeSource[]
  /** In hex. */
  readonly manifestSha256: string
}

/** What the journal notes beside the frames, in the same order and under the same chain. */
export type JournalEvent =
  /** A process begins to write. */
  | { readonly event: 'start'; readonly version: string }
  /** A store was found damaged: what is in it cannot be read, for now or for good. `toPosition` is exclusive. */
  | {
      readonly event: 'damaged'
      readonly store: number
      readonly fromPosition: Position
      readonly toPosition: Position
    }
  /** What could be read of it stands in its place again. */
  | { readonly event: 'salvaged'; readonly store: number; readonly blocks: number; readonly holes: number }
  /**
   * A store that nobody may write any more was removed, or the damaged original of a salvaged one. It held the
   * positions up to `toPosition` (exclusive), made between two wall times. May be on record twice after a power cut.
   */
  | {
      readonly event: 'removed'
      readonly what: 'store' | 'set aside'
      readonly store: number
      readonly fromPosition: Position
      readonly toPosition: Position
      readonly fromUs: Us
      readonly toUs: Us
      readonly bytes: number
      /** The data disk that it lay on; absent: the data folder. */
      readonly disk?: string
      /** The folder under `aside/` that went with it. */
      readonly aside?: string
      /** Whether all of it was known to be elsewhere too. */
      readonly confirmed: boolean
      /** Whether a reader had not come to its end. */
      readonly pinned: boolean
      readonly reason: 'min_free' | 'max_size' | 'max_age' | 'erase_after'
    }
  /** How the streams stand where a store begins, so that what lies before it is not needed to know. */
  | { readonly event: 'standing'; readonly streams: Readonly<Record<string, Standing>> }
  /** A capture was first seen in the config: its first window is the one that holds this time. */
  | { readonly event: 'capture'; readonly capture: string; readonly beginUs: Us }
  /** A folder of a capture was sealed (see captures/ledger.ts). */
  | ({ readonly event: 'sealed' } & Sealed)
  /** A sealed folder is elsewhere too, proved by its manifest's hash. */
  | { readonly event: 'confirmed'; readonly capture: string; readonly folder: string; readonly manifestSha256: string }
  /** A sealed folder was removed here. `confirmed`: it is elsewhere too. */
  | { readonly event: 'freed'; readonly capture: string; readonly folder: string; readonly confirmed: boolean }
  /**
   * The primary did not reply to what was asked on a stream at `sinceUs` (monotonic time of `boot`), nor to anything since;
   * or it replies again, from then on.
   */
  | {
      readonly event: 'primary'
      readonly stream: string
      readonly state: 'silent' | 'back'
      readonly boot: string
      readonly sinceUs: Us
    }
  /**
   * The next so many positions hold imported frames of a boot whose clock said something else than the time that they are
   * filed under (`offsetUs` is the one minus the other), or whose time is only bounded.
   */
  | {
      readonly event: 'imported'
      readonly boot: string
      readonly frames: number
      readonly offsetUs: Us
      readonly timeUncertain?: true
    }
  /** It has ended as it should. */
  | { readonly event: 'stop' }
  /** The clock's relation to monotonic time from here on; comes at a start, at a step and when its source changes. */
  | { readonly event: 'clock'; readonly steppedUs: Us }
  /** A stream joins or leaves the roster. */
  | { readonly event: 'stream'; readonly stream: string; readonly state: 'added' | 'removed' }
  /** Hearing begins. */
  | { readonly event: 'heard'; readonly stream: string }
  /** Hearing ended at `sinceUs` (monotonic time of `boot`), or the cause of not hearing changed then. */
  | {
      readonly event: 'gap'
      readonly stream: string
      readonly cause: GapCause
      readonly code?: ErrorCode
      readonly boot: string
      readonly sinceUs: Us
    }
  /** From this monotonic time on messages may have been lost unseen; `settled` or `uncertain` follows, or the process ended. */
  | { readonly event: 'doubt'; readonly stream: string; readonly fromUs: Us }
  /** Nothing was lost. */
  | { readonly event: 'settled'; readonly stream: string }
  /** Between these monotonic times messages may have been lost unseen. */
  | {
      readonly event: 'uncertain'
      readonly stream: string
      readonly boot: string
      readonly fromUs: Us
      readonly toUs: Us
      readonly reason: string
    }

/** An event on record. */
export interface EventEntry extends Stamp, Given {
  readonly kind: 'event'
  readonly position: Position
  readonly event: JournalEvent
  /** The event as it is stored, JSON. */
  readonly payload: Buffer
}

export type Entry = Frame | EventEntry
