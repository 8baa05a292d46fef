import { InTurn } from '../world/in-turn.ts'
import { readEntries } from './block.ts'
import type { CatalogueStore } from './catalogue.ts'
import type { Position } from './entry.ts'
import type { Series } from './series.ts'
import { Timeline } from './timeline.ts'

/** Keeps the timeline of a series, and learns what is new when it is asked for. */
export class Times {
  readonly #series: Series
  /** Never changed once it was given. */
  #timeline = new Timeline()
  #learnt: Position = 0
  /** What the timeline was learnt from: when one is removed, salvaged or begun, it is learnt anew. */
  #stores: readonly CatalogueStore[] | undefined
  readonly #asked = new InTurn()

  constructor(series: Series) {
    this.#series = series
  }

  /** The times of everything committed so far. */
  timeline(): Promise<Timeline> {
    return this.#asked.run(() => this.#catchUp())
  }

  async #catchUp(): Promise<Timeline> {
    const { stores } = this.#series
    const anew = stores !== this.#stores
    let timeline = anew ? new Timeline() : this.#timeline
    let learnt = anew ? 0 : this.#learnt
    for await (const block of this.#series.timeBlocks(learnt + 1)) {
      if (timeline === this.#timeline) timeline = timeline.copy()
      for (const entry of readEntries(block)) {
        if (entry.kind !== 'event' || entry.position <= learnt) continue
        timeline.learn(entry)
        learnt = entry.position
      }
    }
    this.#timeline = timeline
    this.#learnt = learnt
    this.#stores = stores
    return timeline
  }
}
