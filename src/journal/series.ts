import type { World } from '../world/world.ts'
import type { CatalogueStore, Hole, Removal } from './catalogue.ts'
import { datedName } from './dated-name.ts'
import type { Position } from './entry.ts'
import { loadCatalogue, replaced, reservedAbove } from './kept-catalogue.ts'
import { clearRemoved } from './leftovers.ts'
import { journalPaths } from './paths.ts'
import { BlockStore } from './store.ts'
import { StoredBlocks } from './stored-blocks.ts'

/** The numbered stores of a journal: how they begin, are finished, exchanged and removed. Only the newest is written. */
export class Series extends StoredBlocks {
  /** Called when a store is begun, and thereby the one before finished. */
  onBegun: () => void = () => {}

  /** Reads what there is (see `loadCatalogue`), and opens no store yet. */
  static async read(world: World, directory: string): Promise<Series> {
    return new Series(world, directory, await loadCatalogue(world, directory))
  }

  /** Opens the newest store for writing. */
  async openNewest(): Promise<void> {
    const last = this.stores.at(-1)
    if (last && !last.finished) await this.#keep(await BlockStore.open(this.world, this.path(last.number)))
  }

  /**
   * Finishes the newest store, if any, and begins another.
   * @param at its first position; `chain` the hash its first block continues, both also the finished store's end
   * @param seq above the highest number of any stream
   */
  async begin(at: Position, chain: Buffer, seq: number): Promise<BlockStore> {
    const number = await this.#freeNumber()
    // From before the first store on, so that stores without a catalogue always mean that it was lost.
    if (this.stores.length === 0) await this.change((catalogue) => catalogue)
    const store = await this.#create(number, at, chain)
    const finished = { nextPosition: at, chain: chain.toString('hex') }
    const begun = { number, firstPosition: at, begunUs: this.world.clock.wallUs() }
    try {
      await this.change((catalogue) => {
        const stores = catalogue.stores.map((entry) => (entry.finished ? entry : { ...entry, finished }))
        return { ...catalogue, stores: [...stores, begun], reserved: reservedAbove(at, seq) }
      })
    } catch (error) {
      await store.close()
      throw error
    }
    await this.#keep(store)
    this.onBegun()
    return store
  }

  /** The same after a failed write: the newest store is closed for good first. */
  async abandonNewest(at: Position, chain: Buffer, seq: number): Promise<void> {
    if (this.newest) await this.open.drop(this.newest.number)
    await this.begin(at, chain, seq)
  }

  /**
   * Puts a damaged store out of the way, under a dated name. Nothing of it is deleted.
   * @param end where it ends, if it is the newest one
   */
  async setAside(damaged: CatalogueStore, end?: CatalogueStore['finished']): Promise<void> {
    const { files, clock } = this.world
    const finished = damaged.finished ?? end
    if (!finished || damaged.damaged) return
    await this.open.drop(damaged.number)
    const aside = await this.#moveAside(damaged.number)
    const next = this.stores[this.stores.indexOf(damaged) + 1]
    const hole: Hole = {
      fromPosition: damaged.firstPosition,
      toPosition: finished.nextPosition,
      fromUs: damaged.begunUs,
      toUs: next?.begunUs ?? clock.wallUs()
    }
    await files.syncDirectory(journalPaths(this.directory).stores)
    await this.replace({ ...damaged, finished, merged: false, damaged: { aside, salvaged: false, holes: [hole] } })
  }

  /** Finishes the newest store where it ends, and leaves it as it is. */
  async leave(newest: CatalogueStore, finished: CatalogueStore['finished']): Promise<void> {
    await this.open.drop(newest.number)
    await this.replace({ ...newest, ...(finished && { finished }) })
  }

  /** What could be read of a damaged store stands in its place again. */
  async putBack(number: number, holes: readonly Hole[]): Promise<void> {
    const entry = this.find(number)
    if (entry?.damaged) await this.replace({ ...entry, damaged: { ...entry.damaged, salvaged: true, holes } })
  }

  /**
   * Puts a merged store in the place of the one it was made of. A cut leaves one or the other under the name, or none
   * and the old one beside it (see leftovers.ts). LevelDB opens its files when it needs them, by their path: so this
   * waits for a moment when nobody reads it, and gives false when this is not one.
   * @param merged the folder of the merged one
   */
  async adoptMerged(number: number, merged: string): Promise<boolean> {
    const { files } = this.world
    const path = this.path(number)
    const old = `${path}.old`
    const adopted = await this.open.exchange(number, async () => {
      const entry = this.find(number)
      if (!entry?.finished || entry.damaged) throw new Error('it has changed meanwhile')
      await files.rename(path, old)
      try {
        await files.rename(merged, path)
      } catch (error) {
        await files.rename(old, path)
        throw error
      }
      await files.syncDirectory(journalPaths(this.directory).stores)
    })
    if (!adopted) return false
    await this.change((catalogue) => {
      const stores = catalogue.stores.map((entry) => (entry.number === number ? { ...entry, merged: true } : entry))
      return { ...catalogue, stores }
    })
    await files.remove(old)
    return true
  }

  /**
   * Removes the first store, or what was set aside of one: first its name, then its files. It stays among `removals`
   * until it is `settled`.
   */
  async remove(removal: Removal): Promise<void> {
    await this.change((catalogue) => {
      const removals = [...(catalogue.removals ?? []), removal]
      const entry = catalogue.stores.find(({ number }) => number === removal.store)
      if (removal.what === 'store' && entry?.finished && entry === catalogue.stores[0]) {
        const { fromUs } = catalogue.removed ?? { fromUs: entry.begunUs }
        return { ...catalogue, stores: catalogue.stores.slice(1), removed: { fromUs, ...entry.finished }, removals }
      }
      if (removal.what === 'set aside' && entry?.damaged?.salvaged) {
        return { ...replaced(catalogue, { ...entry, damaged: { ...entry.damaged, asideRemoved: true } }), removals }
      }
      throw new Error('it has changed meanwhile')
    })
    if (removal.what === 'store') await this.open.drop(removal.store)
    await clearRemoved(this.world.files, this.directory, removal)
  }

  asidePath({ aside }: { aside: string }): string {
    return `${journalPaths(this.directory).aside}/${aside}`
  }

  async close(): Promise<void> {
    await this.open.close()
  }

  async #keep(newest: BlockStore): Promise<void> {
    this.tried.set(newest.number, Promise.resolve())
    await this.open.keep(newest)
  }

  /** A begin that was cut off before the catalogue named its store leaves a folder; what is there is never touched. */
  async #freeNumber(): Promise<number> {
    await this.world.files.makeDirectory(journalPaths(this.directory).stores, 0o750)
    let number = (this.stores.at(-1)?.number ?? 0) + 1
    while (await this.world.files.info(this.path(number))) number++
    return number
  }

  async #create(number: number, firstPosition: Position, chain: Buffer): Promise<BlockStore> {
    const after = this.stores.at(-1)?.number ?? null
    const identity = { number, firstPosition, after, chain: chain.toString('hex') }
    try {
      const store = await BlockStore.create(this.world, this.path(number), identity)
      await this.world.files.syncDirectory(journalPaths(this.directory).stores)
      return store
    } catch (error) {
      // It was not there before this call: without this a full disk would collect a folder a second.
      await this.world.files.remove(this.path(number)).catch(() => {})
      throw error
    }
  }

  async #moveAside(number: number): Promise<string> {
    const { files } = this.world
    const { aside } = journalPaths(this.directory)
    await files.makeDirectory(aside, 0o750)
    const id = String(number).padStart(6, '0')
    let name = await datedName(this.world, aside, id)
    if (await files.info(this.path(number))) await files.rename(this.path(number), `${aside}/${name}`)
    else {
      // It is gone altogether, or was moved before the catalogue could say so.
      const names = (await files.list(aside)).map((entry) => entry.name).sort()
      name = names.findLast((moved) => new RegExp(`^[-\\d]+-${id}(-\\d+)?$`).test(moved)) ?? name
    }
    await files.syncDirectory(aside)
    return name
  }
}
