import type { Us } from '../world/time.ts'
import { readCoverage } from './coverage.ts'
import { type Extent, SeriesCursor } from './cursor.ts'
import type { Frame, Position } from './entry.ts'
import { readRange } from './range.ts'
import type { AwayStore, Cursor, JournalReader, Place, RangeQuery, StreamCoverage, VerifyReport } from './reading.ts'
import type { Series } from './series.ts'
import type { StreamStates } from './stream-state.ts'
import { Times } from './times.ts'
import { verifySeries } from './verify.ts'

/** What a reader needs besides the series. */
export interface ReaderContext {
  readonly extent: Extent
  /** The streams as they are at the end. */
  readonly states: StreamStates
  /** `live` when a process is recording into it. */
  now(): { boot: string; wallUs: Us; live: boolean }
}

/** Reads a series: a running journal's, or a snapshot's. */
export class SeriesReader implements JournalReader {
  readonly #series: Series
  readonly #context: ReaderContext
  readonly #times: Times

  constructor(series: Series, context: ReaderContext) {
    this.#series = series
    this.#context = context
    this.#times = new Times(series)
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

  async streams(): Promise<string[]> {
    return [...this.#context.states.streams.keys()].sort()
  }

  cursor(options: Partial<Place> & { streams?: ReadonlySet<string> } = {}): Cursor {
    return new SeriesCursor(
      this.#series,
      this.#context.extent,
      { position: this.firstPosition, ...options },
      options.streams
    )
  }

  range(query: RangeQuery): AsyncIterable<Frame[]> {
    return readRange(this.#series, this.#times, query)
  }

  coverage(query: { streams?: readonly string[]; fromUs?: Us; toUs?: Us } = {}): Promise<StreamCoverage[]> {
    return readCoverage(this.#series, this.#context.states, this.#context.now(), query)
  }

  verify(
    options: { since?: Position; progress?: (doneBytes: number, totalBytes: number) => void } = {}
  ): Promise<VerifyReport> {
    return verifySeries(this.#series, this.nextPosition, options)
  }
}
