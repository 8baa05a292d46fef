import type { Log } from '../log.ts'
import type { Us } from '../world/time.ts'
import type { CatalogueStore } from './catalogue.ts'
import { PLAUSIBLE_US } from './known-time.ts'
import type { Series } from './series.ts'

/** So long before it is erased, it is announced. */
const NOTICE_US = 30 * 86_400_000_000

/** Stores that end before what this gives, at a certain time, are erased, elsewhere or not. */
export type EraseBefore = (nowUs: Us) => Us | undefined

/** Says which stores have to be erased by their age, and announces it. */
export class Erasing {
  readonly #series: Series
  readonly #log: Log
  readonly #before: EraseBefore
  /** Stores of which it was said that they will be erased. */
  readonly #announced = new Set<number>()
  /** The same of stores that should be erased already, and lie on a disk that is away. */
  #awayTold: ReadonlySet<number> = new Set()

  constructor(series: Series, log: Log, before: EraseBefore = () => undefined) {
    this.#series = series
    this.#log = log
    this.#before = before
  }

  isDue(store: CatalogueStore, nowUs: Us): boolean {
    return this.#latestEndUs(store) <= (this.#before(nowUs) ?? Number.NEGATIVE_INFINITY)
  }

  /** Those that should have been erased by now, and lie on a disk that is away. */
  away(nowUs: Us): readonly CatalogueStore[] {
    return this.#series.away.filter((store) => !store.removed && this.isDue(store, nowUs))
  }

  /**
   * Says once of each store that it is going to be erased, and of the newest that it holds what should be already; of one
   * that is away again each time that it has been back.
   * @param kept the stores that can go
   */
  announce(kept: readonly CatalogueStore[], nowUs: Us): void {
    const dueUs = this.#before(nowUs) ?? Number.NEGATIVE_INFINITY
    for (const store of kept.filter(({ number }) => !this.#announced.has(number))) {
      if (!(store.finished ? this.isDue(store, nowUs + NOTICE_US) : store.begunUs <= dueUs)) continue
      this.#warn(
        store,
        store.finished
          ? 'a part of the journal is going to be erased within 30 days, as erase_after demands'
          : 'the store that is being written is left for now, and goes when it is finished and all of it due'
      )
      this.#announced.add(store.number)
    }
    const away = this.away(nowUs)
    for (const store of away.filter(({ number }) => !this.#awayTold.has(number))) {
      this.#warn(
        store,
        'erase_after cannot reach a part of the journal: its disk is away; it is erased when that is back'
      )
    }
    this.#awayTold = new Set(away.map(({ number }) => number))
  }

  #warn({ number, begunUs }: CatalogueStore, text: string): void {
    this.#log.warn({ store: number, begun: new Date(begunUs / 1000).toISOString() }, text)
  }

  /** When the store after it was begun, where a clock that lagged or had not been set must not make it earlier; infinite where nothing tells. */
  #latestEndUs({ number }: CatalogueStore): Us {
    const { stores } = this.#series
    const next = stores.findIndex((store) => store.number === number) + 1
    const latestUs = Math.max(...stores.slice(0, next + 1).map(({ begunUs }) => begunUs))
    return next < stores.length && latestUs >= PLAUSIBLE_US ? latestUs : Number.POSITIVE_INFINITY
  }
}
