import { UnderstudyError } from '../errors.ts'
import { InTurn } from '../world/in-turn.ts'
import type { World } from '../world/world.ts'
import { type CatalogueStore, type Hole, type Removal, usedEnd, withoutFirst } from './catalogue.ts'
import { datedName } from './dated-name.ts'
import { Disks } from './disks.ts'
import type { Position } from './entry.ts'
import { loadCatalogue, replaced, reservedAbove } from './kept-catalogue.ts'
import { clearCopies, clearRemoved, clearSnapshots, putBackOld } from './leftovers.ts'
import { journalPaths } from './paths.ts'
import { BlockStore } from './store.ts'
import { StoredBlocks } from './stored-blocks.ts'
import { diskFailure } from './without-room.ts'

/** In the name of what a salvaged store was, when it was damaged again. */
const AGAIN = 'again'

/** The numbered stores of a journal: how they begin, are finished, exchanged and removed. Only the newest is written. */
export class Series extends StoredBlocks {
  /** Called when a store is begun, and thereby the one before finished. */
  onBegun: () => void = () => {}
  #looked = false
  /** Two looks at once would take a new disk into use twice. */
  readonly #looking = new InTurn()

  /**
   * Reads what there is (see `loadCatalogue`), and opens no store yet. Its disks are away until they are looked for.
   * @param mount where the data disk for new stores is mounted
   * @param adopts whether a data folder without a journal goes on with that of the disk
   */
  static async read(world: World, directory: string, mount?: string, adopts = false): Promise<Series> {
    return new Series(world, directory, await loadCatalogue(world, directory, mount, adopts), new Disks(world, mount))
  }

  /** Where new stores go; `target` is absent where they go to the data folder, and `problem` says why. */
  get disk(): {
    readonly mount?: string | undefined
    readonly target?: string | undefined
    readonly problem?: UnderstudyError | undefined
  } {
    const { mount, target, problem } = this.disks
    return { mount, target, problem }
  }

  /** Whether the newest store lies where new ones do not go any more. */
  get isMisplaced(): boolean {
    const newest = this.stores.at(-1)
    return newest !== undefined && !newest.finished && newest.disk !== this.disks.target
  }

  /** The data disks that are there, and `undefined` for the data folder, each with its folder. */
  get places(): ReadonlyArray<{ readonly disk: string | undefined; readonly folder: string }> {
    const disks = this.disks.there.map((disk) => ({ disk, folder: this.disks.folder(disk)! }))
    return [{ disk: undefined, folder: this.directory }, ...disks]
  }

  /**
   * Looks which data disks are there; what is mounted where new stores are to go is taken into use.
   * @returns the stores that are there again
   */
  lookForDisks(): Promise<readonly CatalogueStore[]> {
    return this.#looking.run(() => this.#lookForDisks())
  }

  async #lookForDisks(): Promise<readonly CatalogueStore[]> {
    const { away, knownDisks } = this
    const before = new Set(this.disks.there)
    const disks = await this.disks.look(knownDisks)
    const back = away.filter((store) => !this.isAway(store))
    for (const id of this.disks.there) if (!before.has(id)) await this.#onDisk(id, () => this.#finishWork(id))
    const changed = disks.length !== knownDisks.length || disks.some((disk, index) => disk !== knownDisks[index])
    // Who has read what there was before notices by the list.
    const news = this.#looked && back.length > 0
    this.#looked = true
    if (changed || news) await this.change((catalogue) => ({ ...catalogue, disks, stores: [...catalogue.stores] }))
    return back
  }

  /**
   * Finishes or undoes what the last process left undone when it ended. To be called when the disks were looked for, and
   * before any store is opened.
   */
  async clearLeftovers(): Promise<void> {
    await this.#finishWork(undefined)
    await clearCopies(this.world.files, this.paths(undefined))
    for (const disk of this.disks.there) {
      await this.#onDisk(disk, async () => {
        await clearCopies(this.world.files, this.paths(disk))
        await clearSnapshots(this.world, this.disks.folder(disk)!)
      })
    }
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
    await this.lookForDisks()
    return this.#begin(at, chain, seq, this.disks.target)
  }

  /** @param target the disk where it is to go; absent: the data folder */
  async #begin(at: Position, chain: Buffer, seq: number, target: string | undefined): Promise<BlockStore> {
    await this.world.files.makeDirectory(journalPaths(this.directory).stores, 0o750)
    // From before the first store on, so that stores without a catalogue always mean that it was lost.
    if (this.stores.length === 0) await this.change((catalogue) => catalogue)
    const { store, disk } = await this.#createSomewhere(at, chain, target)
    const { number } = store
    const finished = { nextPosition: at, chain: chain.toString('hex') }
    const begun = { number, firstPosition: at, begunUs: this.world.clock.wallUs(), ...(disk !== undefined && { disk }) }
    try {
      await this.change((catalogue) => {
        const stores = catalogue.stores.map((entry) => (entry.finished ? entry : { ...entry, finished }))
        return { ...catalogue, stores: [...stores, begun], reserved: reservedAbove(at, seq) }
      })
    } catch (error) {
      // It may have come onto the disk all the same: then the store before ends here at the next start.
      this.abandonedAt = at
      this.open.retireNewest()
      await store.close()
      throw error
    }
    await this.#keep(store)
    this.onBegun()
    return store
  }

  /**
   * The same after a failed write: the newest store is not written again, whether another can be begun now or not. If it
   * lay on a data disk, recording goes on in the data folder at once, and the disk counts as away unless it is only full.
   */
  async abandonNewest(at: Position, chain: Buffer, seq: number, error: unknown): Promise<void> {
    const newest = this.newest && this.find(this.newest.number)
    this.abandonedAt = at
    this.open.retireNewest()
    if (newest?.disk !== undefined) await this.#fail(newest.disk, error)
    const { target } = this.disks
    await this.#begin(at, chain, seq, newest?.disk === target ? undefined : target)
  }

  /** What could not be written on a disk that is only full can be read, and what is begun later goes there again. */
  async #fail(disk: string, error: unknown): Promise<void> {
    if (diskFailure(error) === 'disk full') this.disks.blame(disk, error)
    else await this.loseDisk(disk, error)
  }

  /**
   * Puts a damaged store out of the way, under a dated name; one that has been salvaged before goes beside what it was
   * salvaged from. Nothing of it is deleted.
   * @param end where it ends, if it is the newest one
   */
  async setAside(damaged: CatalogueStore, end?: CatalogueStore['finished']): Promise<void> {
    const { files, clock } = this.world
    const finished = damaged.finished ?? end
    if (!finished || damaged.damaged?.salvaged === false) return
    await this.open.drop(damaged.number)
    this.tried.delete(damaged.number)
    const aside = await this.open.hold(damaged.number, () => this.#moveAside(damaged))
    const next = this.stores[this.stores.indexOf(damaged) + 1]
    const hole: Hole = {
      fromPosition: damaged.firstPosition,
      toPosition: usedEnd(finished),
      fromUs: damaged.begunUs,
      toUs: next?.begunUs ?? clock.wallUs()
    }
    await files.syncDirectory(this.paths(damaged.disk).stores)
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
    if (!entry?.damaged) return
    this.suspects.delete(number)
    await this.replace({ ...entry, damaged: { ...entry.damaged, salvaged: true, holes } })
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
      if (!entry?.finished || entry.damaged || entry.removed) throw new Error('it has changed meanwhile')
      await files.rename(path, old)
      try {
        await files.rename(merged, path)
      } catch (error) {
        await files.rename(old, path)
        throw error
      }
      await files.syncDirectory(path.slice(0, path.lastIndexOf('/')))
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
   * Removes a finished store, or what was set aside of one: first its name, then its files. It stays among `removals`
   * until it is `settled`. One that is not the first stays in the list, as removed, until it is.
   */
  async remove(removal: Removal): Promise<void> {
    await this.change((catalogue) => {
      const removals = [...(catalogue.removals ?? []), removal]
      const entry = catalogue.stores.find(({ number }) => number === removal.store)
      if (removal.what === 'store' && entry?.finished && !entry.removed && !this.isAway(entry)) {
        return withoutFirst({ ...replaced(catalogue, { ...entry, removed: true }), removals })
      }
      if (removal.what === 'set aside' && entry?.damaged?.salvaged) {
        return { ...replaced(catalogue, { ...entry, damaged: { ...entry.damaged, asideRemoved: true } }), removals }
      }
      throw new Error('it has changed meanwhile')
    })
    if (removal.what === 'store') await this.open.drop(removal.store)
    await this.open.hold(removal.store, () => clearRemoved(this.world.files, this.paths(removal.disk), removal))
  }

  /** Where a damaged store was put. @throws UNDERSTUDY_DISK_AWAY */
  asidePath({ disk }: { readonly disk?: string | undefined }, { aside }: { readonly aside: string }): string {
    return `${this.paths(disk).aside}/${aside}`
  }

  /** All that was set aside of a store, the newest first. */
  async asidePaths(store: { readonly disk?: string }, damaged: { readonly aside: string }): Promise<string[]> {
    const first = this.asidePath(store, damaged)
    const names = (await this.world.files.list(first)).map(({ name }) => name)
    const again = names.filter((name) => name.includes(AGAIN)).sort()
    return [...again.reverse().map((name) => `${first}/${name}`), first]
  }

  async close(): Promise<void> {
    await this.open.close()
  }

  async #keep(newest: BlockStore): Promise<void> {
    this.tried.set(newest.number, Promise.resolve())
    await this.open.keep(newest)
  }

  /** A disk on which it fails counts as away. */
  async #onDisk(disk: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      await this.loseDisk(disk, error)
    }
  }

  /** What was being removed from a disk, or exchanged on it, when it went or the process ended. */
  async #finishWork(disk: string | undefined): Promise<void> {
    const { files } = this.world
    const paths = this.paths(disk)
    await putBackOld(
      files,
      paths,
      this.stores.filter((store) => store.disk === disk)
    )
    for (const removal of this.removals) if (removal.disk === disk) await clearRemoved(files, paths, removal)
  }

  /** On the data disk if there is one, and where that fails in the data folder. */
  async #createSomewhere(
    at: Position,
    chain: Buffer,
    target: string | undefined
  ): Promise<{ store: BlockStore; disk: string | undefined }> {
    if (target !== undefined) {
      try {
        return { store: await this.#create(target, at, chain), disk: target }
      } catch (error) {
        await this.#fail(target, error)
      }
    }
    return { store: await this.#create(undefined, at, chain), disk: undefined }
  }

  async #create(disk: string | undefined, firstPosition: Position, chain: Buffer): Promise<BlockStore> {
    const paths = this.paths(disk)
    const number = await this.#freeNumber()
    const after = this.stores.at(-1)?.number ?? null
    const identity = { number, firstPosition, after, chain: chain.toString('hex') }
    try {
      const store = await BlockStore.create(this.world, paths.store(number), identity)
      await this.world.files.syncDirectory(paths.stores)
      // LevelDB makes the folders that it needs: if the disk has gone in that moment, in the empty mount point.
      if (disk !== undefined && !(await this.disks.isAlive(disk))) {
        await store.close()
        throw new UnderstudyError('UNDERSTUDY_DISK_AWAY')
      }
      return store
    } catch (error) {
      // It was not there before this call: without this a full disk would collect a folder a second.
      await this.world.files.remove(paths.store(number)).catch(() => {})
      throw error
    }
  }

  /** A begin that was cut off before the catalogue named its store leaves a folder; what is there is never touched. */
  async #freeNumber(): Promise<number> {
    const { files } = this.world
    const isTaken = async (number: number): Promise<boolean> => {
      const found = await Promise.all(this.places.map(({ folder }) => files.info(journalPaths(folder).store(number))))
      return found.some((info) => info !== undefined)
    }
    let number = (this.stores.at(-1)?.number ?? 0) + 1
    while (await isTaken(number)) number++
    return number
  }

  async #moveAside({ number, disk, damaged }: CatalogueStore): Promise<string> {
    const { files } = this.world
    const { aside } = this.paths(disk)
    if (damaged && !damaged.asideRemoved) {
      const before = this.asidePath({ disk }, damaged)
      await files.makeDirectory(before, 0o750)
      // Where it is gone, it was moved before the catalogue could say so, or is lost altogether.
      if (await files.info(this.path(number)))
        await files.rename(this.path(number), `${before}/${await datedName(this.world, before, AGAIN)}`)
      await files.syncDirectory(before)
      return damaged.aside
    }
    await files.makeDirectory(aside, 0o750)
    const id = String(number).padStart(6, '0')
    let name = await datedName(this.world, aside, id)
    if (await files.info(this.path(number))) await files.rename(this.path(number), `${aside}/${name}`)
    else {
      // It is gone altogether, or was moved before the catalogue could say so.
      const names = (await files.list(aside)).map((entry) => entry.name).sort()
      name = names.findLast((moved) => new RegExp(`^[-\\d]+-${id}(-\\d+)?$`).test(moved)) ?? name
      await files.makeDirectory(`${aside}/${name}`, 0o750)
    }
    await files.syncDirectory(aside)
    return name
  }
}
