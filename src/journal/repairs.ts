import { UnderstudyError } from '../errors.ts'
import type { Log } from '../log.ts'
import { InTurn } from '../world/in-turn.ts'
import type { World } from '../world/world.ts'
import { type CatalogueStore, usedEnd } from './catalogue.ts'
import type { JournalEvent } from './entry.ts'
import { folderBytes } from './folder-bytes.ts'
import { salvage } from './salvage.ts'
import type { Series } from './series.ts'

/** Numbers of stores. */
export interface RepairReport {
  readonly examined: readonly number[]
  /** Found damaged now, or before, and salvaged now. */
  readonly salvaged: readonly number[]
  /** Damaged, and not to be salvaged: the log says why. */
  readonly unsalvaged: readonly number[]
}

/** Sets damaged stores aside and salvages them, one after the other, while recording goes on. */
export class Repairs {
  readonly #world: World
  readonly #series: Series
  readonly #note: (event: JournalEvent) => void
  readonly #log: Log
  readonly #stopping = new AbortController()
  readonly #reported = new Set<number>()
  #salvaging: number | undefined
  /** How often each store was salvaged since the start. */
  readonly #salvages = new Map<number, number>()
  readonly #work = new InTurn()

  /** @param note puts an event on record */
  constructor(world: World, series: Series, note: (event: JournalEvent) => void, log: Log) {
    this.#world = world
    this.#series = series
    this.#note = note
    this.#log = log
  }

  /** Takes up what was set aside and not salvaged, and from now on whatever a reader comes upon. */
  start(): void {
    this.#series.onDamage = (number) => {
      if (this.#reported.has(number) || number === this.#series.newest?.number) return
      this.#reported.add(number)
      this.#then(() => this.#examine(number))
    }
    this.takeUp(this.#series.stores)
  }

  /**
   * Takes up stores that may have changed, or waited for something: those that were set aside, and on data disks, which
   * may have lost what was not yet on them, those that were not read through since they were finished.
   */
  takeUp(stores: readonly CatalogueStore[]): void {
    for (const store of stores) {
      if (store.damaged) this.#then(() => this.#takeUp(store))
      else if (store.disk !== undefined && store.finished && !store.merged)
        this.#then(() => this.#examine(store.number))
    }
  }

  /**
   * Looks through a finished store, or all of them, and does with what it finds damaged what is done for one that a
   * reader came upon.
   * @param progress told how many stores are done, of how many
   * @returns what was salvaged
   * @throws UNDERSTUDY_UNKNOWN_STORE
   */
  async repair(number?: number, progress?: (done: number, total: number) => void): Promise<RepairReport> {
    const before = new Map(this.#salvages)
    const stores = this.#series.stores.filter(
      (store) =>
        store.finished && !store.removed && !this.#series.isAway(store) && (number ?? store.number) === store.number
    )
    if (number !== undefined && stores.length === 0) {
      throw new UnderstudyError('UNDERSTUDY_UNKNOWN_STORE', `store ${number}`)
    }
    const examined = stores.map((store) => store.number)
    for (const [index, store] of examined.entries()) {
      this.#then(async () => {
        await this.#examine(store)
        progress?.(index + 1, examined.length)
      })
    }
    await this.#work.idle()
    return {
      examined,
      salvaged: examined.filter((store) => this.#salvages.get(store) !== before.get(store)),
      unsalvaged: this.#series.stores.flatMap(({ number: found, damaged }) =>
        damaged && !damaged.salvaged ? [found] : []
      )
    }
  }

  async #takeUp(store: CatalogueStore): Promise<void> {
    const { number, damaged, removed } = store
    if (damaged?.salvaged === false && !removed && !this.#series.isAway(store)) await this.#salvage(number)
  }

  /** The store that is being set aside or salvaged. */
  get salvaging(): number | undefined {
    return this.#salvaging
  }

  /** Resolves when all that is known of is done. */
  idle(): Promise<void> {
    return this.#work.idle()
  }

  async stop(): Promise<void> {
    this.#series.onDamage = () => {}
    this.#stopping.abort(new Error('stopping'))
    await this.#work.idle()
  }

  #then(work: () => Promise<void>): void {
    void this.#work.run(async () => {
      if (this.#stopping.signal.aborted) return
      try {
        await work()
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.#log.error({ err: error }, 'a damaged store could not be repaired')
      } finally {
        this.#salvaging = undefined
      }
    })
  }

  /** Somebody asks, or a reader came upon something: it may also have been closed under its hands. */
  async #examine(number: number): Promise<void> {
    const store = this.#series.find(number)
    this.#reported.delete(number)
    if (!store?.finished || store.removed || this.#series.isAway(store)) return
    if (store.damaged?.salvaged === false) return this.#salvage(number)
    const isWhole = await this.#series.isWhole(number, true)
    // Looking at it may have told where it ends, and it may have been removed under the look.
    const found = this.#series.find(number)
    if (isWhole || !found || found.removed || this.#series.isAway(found)) return
    // From now on: while it is moved the catalogue does not know of it yet, and it could go to make room.
    this.#salvaging = number
    this.#log.error({ store: number }, 'a store is damaged; it is set aside and salvaged')
    await this.#series.setAside(found)
    await this.#salvage(number)
  }

  async #salvage(number: number): Promise<void> {
    const store = this.#series.find(number)
    if (!store?.damaged || !store.finished) return
    const { firstPosition, finished, damaged } = store
    const asides = await this.#series.asidePaths(store, damaged)
    if (!(await this.#hasRoomFor(this.#series.asidePath(store, damaged)))) {
      this.#log.error(
        { store: number },
        'there is no room to salvage a damaged store; it is tried again at the next start'
      )
      return
    }
    const { signal } = this.#stopping
    this.#salvaging = number
    const { blocks, holes } = await salvage(this.#world, store, asides, this.#series.path(number), signal)
    // Not before: each start that finds no room for it, or a failing disk, would say so once more.
    const toPosition = usedEnd(finished)
    this.#note({ event: 'damaged', store: number, fromPosition: firstPosition, toPosition })
    await this.#series.putBack(number, holes)
    this.#salvages.set(number, (this.#salvages.get(number) ?? 0) + 1)
    this.#note({ event: 'salvaged', store: number, blocks, holes: holes.length })
    this.#log.info({ store: number, blocks, holes: holes.length }, 'a damaged store is salvaged')
  }

  /** What is salvaged is written anew, and logs that become tables twice. */
  async #hasRoomFor(aside: string): Promise<boolean> {
    const { files } = this.#world
    const { freeBytes } = await files.space(aside)
    return freeBytes > 3 * (await folderBytes(files, aside))
  }
}
