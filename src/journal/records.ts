import { InTurn } from '../world/in-turn.ts'
import { readEntries } from './block.ts'
import type { CatalogueStore } from './catalogue.ts'
import type { EventEntry, Position } from './entry.ts'
import type { Series } from './series.ts'

/** An event without its bytes, which would hold on to the block that it was read from. */
export type Recorded = Omit<EventEntry, 'payload'>

/** Keeps the events of a series from which coverage is made, and learns what is new when it is asked for. */
export class Records {
  readonly #series: Series
  /** Never changed once they were given. */
  #records: readonly Recorded[] = []
  #learnt: Position = 0
  /** What they were learnt from: when a store is removed, salvaged or begun, goes or comes back, they are learnt anew. */
  #stores: readonly CatalogueStore[] = []
  #away = ''
  readonly #asked = new InTurn()

  constructor(series: Series) {
    this.#series = series
  }

  /** In order of position; of everything committed so far. */
  all(): Promise<readonly Recorded[]> {
    return this.#asked.run(() => this.#catchUp())
  }

  async #catchUp(): Promise<readonly Recorded[]> {
    const { stores } = this.#series
    const away = stores.filter((store) => this.#series.isAway(store)).map(({ number }) => number)
    const anew = stores !== this.#stores || away.join() !== this.#away
    let learnt = anew ? 0 : this.#learnt
    const news: Recorded[] = []
    for await (const block of this.#series.eventBlocks(learnt + 1)) {
      for (const entry of readEntries(block)) {
        if (entry.kind !== 'event' || entry.position <= learnt) continue
        const { payload: _, ...recorded } = entry
        if (!aboutOthers.has(entry.event.event)) news.push(recorded)
        learnt = entry.position
      }
    }
    if (anew) this.#records = news
    else if (news.length > 0) this.#records = [...this.#records, ...news]
    this.#learnt = learnt
    this.#stores = stores
    this.#away = away.join()
    return this.#records
  }
}

/** What tells nothing of hearing. */
const aboutOthers: ReadonlySet<string> = new Set(['capture', 'sealed', 'confirmed', 'freed', 'primary'])
