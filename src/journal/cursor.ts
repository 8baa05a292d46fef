import { UnderstudyError } from '../errors.ts'
import { readEntries } from './block.ts'
import type { Entry, Position } from './entry.ts'
import type { BlockSpan, Cursor, CursorOptions, Place, Positions } from './reading.ts'
import type { Series } from './series.ts'

const DEFAULT_BYTES = 1_000_000

/** How far a journal reaches, and word of its commits. */
export interface Extent {
  readonly firstPosition: Position
  readonly nextPosition: Position
  /** Nothing can be read any more. */
  readonly closed: boolean
  /** Resolves at the next commit, or when the journal closes. */
  nextCommit(): Promise<void>
}

/** Reads a series from a position on, across stores. */
export class SeriesCursor implements Cursor {
  readonly #series: Series
  readonly #extent: Extent
  readonly #options: CursorOptions
  #position: Position
  #skipped: readonly Positions[]

  constructor(series: Series, extent: Extent, place: Place, options: CursorOptions = {}) {
    this.#series = series
    this.#extent = extent
    this.#position = place.position
    this.#skipped = place.skipped ?? []
    this.#options = options
  }

  get position(): Position {
    return this.#position
  }

  get place(): Place {
    return { position: this.#position, skipped: this.#skipped }
  }

  async next(maxBytes = DEFAULT_BYTES): Promise<Entry[]> {
    const { firstPosition, nextPosition, closed } = this.#extent
    if (closed) throw new UnderstudyError('UNDERSTUDY_JOURNAL_CLOSED')
    this.#check(firstPosition, nextPosition)
    const late = await this.#late(maxBytes)
    if (late.length > 0 || this.#position === nextPosition) return late
    const { passOver } = this.#options
    const { entries, end, holes } = await this.#read(this.#position, nextPosition, maxBytes, passOver)
    this.#position = end
    this.#skipped = [...this.#skipped, ...holes]
    return entries
  }

  /** What was passed over because it could not be read, and can be read now. */
  async #late(maxBytes: number): Promise<Entry[]> {
    for (const skipped of this.#skipped) {
      if (!this.#series.isReadableAgain(skipped.from)) continue
      const { entries, end, holes } = await this.#read(skipped.from, skipped.to, maxBytes)
      // A part may lie in another store, or what it lies in has gone again.
      const rest = holes.flatMap((hole) => this.#series.awaited(hole))
      if (end < skipped.to) rest.push({ from: end, to: skipped.to })
      this.#skipped = this.#skipped.flatMap((other) => (other === skipped ? rest : [other]))
      if (entries.length > 0) return entries.map((entry) => ({ ...entry, late: true }))
    }
    return []
  }

  /** The entries from one position to before another, as far as `maxBytes` go: up to `end`, with what is not there. */
  async #read(
    from: Position,
    to: Position,
    maxBytes: number,
    passOver: (block: BlockSpan) => boolean = () => false
  ): Promise<{ entries: Entry[]; end: Position; holes: Positions[] }> {
    const entries: Entry[] = []
    const holes: Positions[] = []
    let bytes = 0
    let end = from
    for await (const block of this.#series.blocks(from, to)) {
      if (bytes >= maxBytes && entries.length > 0) return { entries, end, holes }
      if (block.firstPosition > end) holes.push({ from: end, to: block.firstPosition })
      for (const entry of passOver(block.header) ? [] : readEntries(block, this.#options.streams)) {
        if (entry.position < from || entry.position >= to) continue
        entries.push(entry)
        bytes += entry.payload.length
      }
      end = block.firstPosition + block.header.count
    }
    if (end < to) holes.push({ from: end, to })
    return { entries, end: to, holes }
  }

  async wait(signal?: AbortSignal): Promise<void> {
    if (this.#position < this.#extent.nextPosition || this.#extent.closed || signal?.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal?.removeEventListener('abort', done)
        resolve()
      }
      signal?.addEventListener('abort', done)
      void this.#extent.nextCommit().then(done)
    })
  }

  #check(firstPosition: Position, nextPosition: Position): void {
    if (this.#position < firstPosition) {
      const range = `positions ${this.#position} to ${firstPosition - 1} are missing`
      throw new UnderstudyError('UNDERSTUDY_CURSOR_TOO_OLD', range)
    }
    if (this.#position > nextPosition) {
      const range = `positions ${nextPosition} to ${this.#position - 1} are missing`
      throw new UnderstudyError('UNDERSTUDY_CURSOR_TOO_NEW', range)
    }
  }
}
