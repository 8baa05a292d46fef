import { UnderstudyError } from '../errors.ts'
import type { Us } from '../world/time.ts'
import { readEntries, type WholeBlock } from './block.ts'
import { readCoverage } from './coverage.ts'
import { type Extent, SeriesCursor } from './cursor.ts'
import type { EventEntry, Frame, Position } from './entry.ts'
import type { HeadState } from './head.ts'
import { readRange } from './range.ts'
import type {
  AwayStore,
  Cursor,
  CursorOptions,
  JournalReader,
  Place,
  Positions,
  RangeQuery,
  StreamCoverage,
  VerifyReport
} from './reading.ts'
import { Records } from './records.ts'
import type { Series } from './series.ts'
import type { StreamStates } from './stream-state.ts'
import type { Timeline } from './timeline.ts'
import { Times } from './times.ts'
import { verifySeries } from './verify.ts'

/** The chain's hash before a position. */
export interface Link {
  readonly position: Position
  /** Hex. */
  readonly chain: string
}

/** What a reader needs besides the series. */
export interface ReaderContext {
  readonly extent: Extent
  /** The streams as they are at the end. */
  readonly states: StreamStates
  /** What the head says; `undefined` where it cannot be read. */
  head(): Promise<HeadState | undefined>
  /** `live` when a process is recording into it. */
  now(): { boot: string; wallUs: Us; live: boolean }
}

/** Reads a series: a running journal's, or a snapshot's. */
export class SeriesReader implements JournalReader {
  readonly #series: Series
  readonly #context: ReaderContext
  readonly #times: Times
  readonly #records: Records

  constructor(series: Series, context: ReaderContext) {
    this.#series = series
    this.#context = context
    this.#times = new Times(series)
    this.#records = new Records(series)
  }

  get firstPosition(): Position {
    return this.#context.extent.firstPosition
  }

  get nextPosition(): Position {
    return this.#context.extent.nextPosition
  }

  get away(): readonly AwayStore[] {
    return this.#series.away.map(({ number, firstPosition, finished }) => {
      const nextPosition = finished?.nextPosition ?? this.nextPosition
      return { store: number, fromPosition: firstPosition, toPosition: nextPosition - 1 }
    })
  }

  /** What of these positions cannot be read now, and may be later. */
  awaited(positions: Positions): Positions[] {
    return this.#series.awaited(positions)
  }

  /** How often something could not be read so far, and was passed over: who has read may have missed something if it rises. */
  get passedOver(): number {
    return this.#series.passedOver
  }

  async streams(): Promise<string[]> {
    return [...this.#context.states.streams.keys()].sort()
  }

  cursor(options: Partial<Place> & CursorOptions = {}): Cursor {
    return new SeriesCursor(this.#series, this.#context.extent, { position: this.firstPosition, ...options }, options)
  }

  range(query: RangeQuery): AsyncIterable<Frame[]> {
    return readRange(this.#series, this.#times, query)
  }

  async coverage(query: { streams?: readonly string[]; fromUs?: Us; toUs?: Us } = {}): Promise<StreamCoverage[]> {
    const records = await this.#records.all()
    return readCoverage(this.#series, records, this.#context.states, this.#context.now(), query)
  }

  /** The true times of everything committed so far. */
  timeline(): Promise<Timeline> {
    return this.#times.timeline()
  }

  /** Every event kept, in order of position. */
  async *events(): AsyncGenerator<EventEntry> {
    for await (const block of this.#series.eventBlocks()) {
      for (const entry of readEntries(block)) if (entry.kind === 'event') yield entry
    }
  }

  /**
   * The chain around a range of positions, both of which can be read: before the block of the first and after the block
   * of the last.
   */
  async chainAround(first: Position, last: Position): Promise<{ readonly first: Link; readonly last: Link }> {
    const [before, after] = [await this.#blockAt(first), await this.#blockAt(last)]
    return {
      first: { position: before.header.firstPosition, chain: before.header.chainBefore.toString('hex') },
      last: {
        position: after.header.firstPosition + after.header.count,
        chain: after.header.chainAfter.toString('hex')
      }
    }
  }

  async #blockAt(position: Position): Promise<WholeBlock> {
    for await (const block of this.#series.blocks(position, position + 1)) return block
    throw new UnderstudyError('UNDERSTUDY_BLOCK_DAMAGED', `at position ${position}`)
  }

  async verify(
    options: { since?: Position; progress?: (doneBytes: number, totalBytes: number) => void } = {}
  ): Promise<VerifyReport> {
    const head = await this.#context.head()
    // A commit is in the head just before it is announced.
    const end = Math.max(this.nextPosition, head?.nextPosition ?? 0)
    return verifySeries(this.#series, end, head, options)
  }
}
