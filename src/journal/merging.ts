import { UnderstudyError } from '../errors.ts'
import type { Log } from '../log.ts'
import { InTurn } from '../world/in-turn.ts'
import { sleep } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { CatalogueStore } from './catalogue.ts'
import { type Finished, mergeStore } from './merge.ts'
import type { Series } from './series.ts'

/** Between two pieces of work, so that recording is not held up. */
const PAUSE_MS = 20
/** Until the next try, where somebody reads the store that is to be exchanged. */
const RETRY_MS = 1_000

/** Merges finished stores once each, one after the other, while recording goes on. */
export class Merging {
  readonly #world: World
  readonly #series: Series
  readonly #log: Log
  readonly #spareBytes: number
  readonly #stopping = new AbortController()
  /** Not tried again before the next start. */
  readonly #failed = new Set<number>()
  readonly #work = new InTurn()

  /** @param spareBytes what is not used of the disk */
  constructor(world: World, series: Series, log: Log, spareBytes: number) {
    this.#world = world
    this.#series = series
    this.#log = log
    this.#spareBytes = spareBytes
  }

  /**
   * Merges what there is to merge now.
   * @param again stores that may have failed for a reason that is gone
   */
  request(again: readonly CatalogueStore[] = []): void {
    for (const { number } of again) this.#failed.delete(number)
    void this.#work.run(async () => {
      for (let store = this.#next(); store; store = this.#next()) await this.#merge(store)
    })
  }

  /** Resolves when everything that was asked for is done. */
  idle(): Promise<void> {
    return this.#work.idle()
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopping'))
    await this.#work.idle()
  }

  /** Salvaged ones stay as they are: their chain has holes. */
  #next(): Finished | undefined {
    if (this.#stopping.signal.aborted) return undefined
    return this.#series.stores.find(
      (store): store is Finished =>
        store.finished !== undefined &&
        store.finished.rest !== 'unknown' &&
        !store.merged &&
        !store.damaged &&
        !store.removed &&
        !this.#series.isAway(store) &&
        !this.#failed.has(store.number)
    )
  }

  async #merge(store: Finished): Promise<void> {
    const { number } = store
    const target = `${this.#series.path(number)}.merging`
    try {
      const bytes = await this.#series.sizeBytes(number)
      await this.#requireRoom(number, bytes)
      await mergeStore(this.#world, this.#series, store, target, () => this.#pause(PAUSE_MS))
      while (!(await this.#series.adoptMerged(number, target))) await this.#pause(RETRY_MS)
      this.#log.info({ store: number, bytes, mergedBytes: await this.#series.sizeBytes(number) }, 'a store is merged')
    } catch (error) {
      this.#failed.add(number)
      await this.#world.files.remove(target).catch(() => {})
      if (this.#stopping.signal.aborted || !this.#series.find(number)) return
      if (error instanceof UnderstudyError && error.code === 'UNDERSTUDY_BLOCK_DAMAGED') this.#series.onDamage(number)
      else
        this.#log.warn(
          { err: error, store: number },
          'a store could not be merged; it is tried again at the next start'
        )
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(this.#world.timers, ms, this.#stopping.signal)
    this.#stopping.signal.throwIfAborted()
  }

  /** A merged store is seldom larger than before, but compacting it takes its room twice. */
  async #requireRoom(number: number, bytes: number): Promise<void> {
    const { freeBytes } = await this.#world.files.space(this.#series.path(number))
    if (freeBytes < this.#spareBytes + 2 * bytes) throw new Error('there is no room for it')
  }
}
