import type { Us } from '../world/time.ts'
import type { Entry, Frame, GapCause, Position } from './entry.ts'

/** A part of a period in which a stream was not, or perhaps not wholly, heard. */
export interface Unheard {
  readonly fromUs: Us
  readonly toUs: Us
  readonly kind: 'gap' | 'uncertain'
  readonly cause: GapCause | string
  readonly code?: string
}

/** What is known of one stream over one period; `heardUs` and the lengths of `rest` add up to `toUs - fromUs`. */
export interface StreamCoverage {
  readonly stream: string
  readonly fromUs: Us
  /** Not later than now: what has not happened is not covered. */
  readonly toUs: Us
  readonly heardUs: Us
  /** heardUs / (toUs - fromUs); 1 for an empty period. */
  readonly share: number
  /** In order of time, without overlaps. */
  readonly rest: readonly Unheard[]
}

/** What `verify` found. The journal is sound when `problems` is empty. */
export interface VerifyReport {
  readonly stores: number
  readonly blocks: number
  readonly frames: number
  readonly events: number
  readonly erased: number
  readonly payloadBytes: number
  readonly firstPosition: Position
  /** One above the last. */
  readonly nextPosition: Position
  /** The chain's hash at the end, in hex. */
  readonly chain: string
  readonly problems: readonly VerifyProblem[]
  /** What could not be looked at. */
  readonly away: readonly AwayStore[]
}

/** A store on a data disk that is not there, and the positions it holds as far as is known. */
export interface AwayStore {
  readonly store: number
  readonly fromPosition: Position
  readonly toPosition: Position
}

export interface VerifyProblem {
  readonly kind: 'damaged' | 'missing' | 'chain' | 'numbering' | 'head'
  readonly store: number
  /** Where, as positions; absent when it concerns a whole store. */
  readonly fromPosition?: Position
  readonly toPosition?: Position
  readonly stream?: string
  readonly detail: string
}

/** A range of positions, `to` exclusive. */
export interface Positions {
  readonly from: Position
  readonly to: Position
}

/** How far a reader has come. */
export interface Place {
  /** The position of the next entry. */
  readonly position: Position
  /** What was passed over because it could not be read. It is given late if it is salvaged. */
  readonly skipped?: readonly Positions[]
  /** Before what is behind this position is removed, the reader has to be told (see `Journal.beforeRemoval`). */
  readonly base?: Position
}

export interface CursorOptions {
  /** Only frames of these streams are given, and no events. */
  readonly streams?: ReadonlySet<string> | undefined
  /** Asked of each block that has not been passed over before: whether nothing of it need be given. */
  readonly passOver?: ((block: BlockSpan) => boolean) | undefined
}

/** Where a block's entries stand, and when they were recorded: wall time, from the earliest to the latest. */
export interface BlockSpan {
  readonly firstPosition: Position
  readonly count: number
  readonly earliestUs: Us
  readonly latestUs: Us
}

/** Reads entries in order of position from a place on. */
export interface Cursor {
  /** The position of the next entry it will give. */
  readonly position: Position
  /** To be stored together with what was made of the entries given so far. */
  readonly place: Place
  /**
   * The next entries, about `maxBytes` of them (one at least); none when it has reached the last committed one.
   * @throws UNDERSTUDY_CURSOR_TOO_OLD with the missing range, UNDERSTUDY_CURSOR_TOO_NEW, UNDERSTUDY_BLOCK_DAMAGED,
   * UNDERSTUDY_JOURNAL_CLOSED
   */
  next(maxBytes?: number): Promise<Entry[]>
  /** Resolves at the next commit, at once if there is something to read, or when the signal is aborted. */
  wait(signal?: AbortSignal): Promise<void>
}

export interface RangeQuery {
  /** All when absent. */
  readonly streams?: ReadonlySet<string>
  /** Wall time, inclusive: the true one, where the recorded one was found to be wrong (see `Frame.trueUs`). */
  readonly fromUs?: Us
  /** Wall time, exclusive. */
  readonly toUs?: Us
  /** By the times as they were recorded. */
  readonly recorded?: boolean
  /** Only entries before this position. */
  readonly before?: Position
}

/** How the journal is read, by a running recorder and from a snapshot alike. */
export interface JournalReader {
  /** Every stream that has a frame or an event on record, sorted. */
  streams(): Promise<string[]>
  readonly firstPosition: Position
  /** One above the last committed entry. */
  readonly nextPosition: Position
  /** What is passed over in all that is read, since its disk is not there. */
  readonly away: readonly AwayStore[]
  /** @param position default: the first one kept */
  cursor(options?: Partial<Place> & CursorOptions): Cursor
  /** Frames of a period in order of position, in batches of bounded size. */
  range(query: RangeQuery): AsyncIterable<Frame[]>
  /** @param query default: from the first record until now, all streams */
  coverage(query?: { streams?: readonly string[]; fromUs?: Us; toUs?: Us }): Promise<StreamCoverage[]>
  verify(options?: {
    /** Only what was written from this position on. */
    since?: Position
    progress?: (doneBytes: number, totalBytes: number) => void
  }): Promise<VerifyReport>
}
