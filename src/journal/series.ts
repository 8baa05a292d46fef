import { UnderstudyError } from '../errors.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { type BlockHeader, readHeader, type StoredBlock, type WholeBlock } from './block.ts'
import {
  type Catalogue,
  type CatalogueStore,
  type Hole,
  type Removal,
  readCatalogue,
  readFrozenPosition,
  writeCatalogue
} from './catalogue.ts'
import { CHAIN_START } from './chain.ts'
import { datedName } from './dated-name.ts'
import type { Position } from './entry.ts'
import { folderBytes } from './folder-bytes.ts'
import { clearRemoved } from './leftovers.ts'
import { OpenStores } from './open-stores.ts'
import { journalPaths } from './paths.ts'
import type { Positions } from './reading.ts'
import { rebuildCatalogue } from './rebuild.ts'
import { BlockStore, type Identity } from './store.ts'
import type { BlindSpan } from './timeline.ts'
import { inCopy, tryStore } from './trial.ts'

/** How far ahead of what is used positions and numbers are reserved. */
const RESERVED = 1_000_000

/** The numbered stores of a journal, read as one. Only the newest is written. */
export class Series {
  /** Called when a finished store turns out to be damaged. */
  onDamage: (store: number) => void = () => {}
  /** Called when a store is begun, and thereby the one before finished. */
  onBegun: () => void = () => {}
  /** Whether the catalogue was lost, or a newer release's, and is made anew. */
  readonly rebuilt: boolean
  readonly #world: World
  readonly #directory: string
  readonly #open: OpenStores
  /** Stores that were found whole, or begun, since the start. */
  readonly #tried = new Map<number, Promise<unknown>>()
  #catalogue: Catalogue
  #asItIs = false
  /** The last change of the catalogue that was asked for. */
  #changed: Promise<unknown> = Promise.resolve()

  private constructor(world: World, directory: string, catalogue: Catalogue, rebuilt: boolean) {
    this.rebuilt = rebuilt
    this.#world = world
    this.#directory = directory
    this.#open = new OpenStores(world, (number) => this.path(number))
    this.#catalogue = catalogue
  }

  /**
   * Reads what there is, an empty series when nothing is, and opens no store yet. A catalogue that is damaged or missing
   * is made anew from the stores; one of a newer release is left to it, with its stores, and an empty one begins above
   * it. What was made anew is on the disk after `keepRebuilt`.
   */
  static async read(world: World, directory: string): Promise<Series> {
    const { catalogue: path, stores } = journalPaths(directory)
    const { files } = world
    try {
      const catalogue = await readCatalogue(files, path)
      if (catalogue) return new Series(world, directory, catalogue, false)
      if (!(await files.info(stores)) || (await files.list(stores)).length === 0) {
        return new Series(world, directory, { reserved: { position: 1, seq: 1 }, stores: [] }, false)
      }
    } catch (error) {
      const code = error instanceof UnderstudyError ? error.code : undefined
      if (code === 'UNDERSTUDY_STORE_NEWER') {
        // No stream has more frames than there are positions.
        const position = await readFrozenPosition(files, path)
        return new Series(world, directory, { reserved: { position, seq: position }, stores: [] }, true)
      }
      if (code !== 'UNDERSTUDY_CATALOGUE_DAMAGED') throw error
    }
    return new Series(world, directory, await rebuildCatalogue(world, directory), true)
  }

  /**
   * Puts a catalogue that was made anew in the place of the one there is, which is kept under a dated name.
   * @param position above everything that can have been used; `seq` the same of the numbers
   */
  async keepRebuilt(position: Position, seq: number): Promise<void> {
    const { files } = this.#world
    const { catalogue, aside } = journalPaths(this.#directory)
    if (await files.info(catalogue)) {
      await files.makeDirectory(aside, 0o750)
      await files.rename(catalogue, `${aside}/${await datedName(this.#world, aside, 'catalogue')}`)
    }
    await this.#change((rebuilt) => ({ ...rebuilt, reserved: reservedAbove(position, seq) }))
  }

  get stores(): readonly CatalogueStore[] {
    return this.#catalogue.stores
  }

  get reserved(): Catalogue['reserved'] {
    return this.#catalogue.reserved
  }

  get firstPosition(): Position {
    return this.stores[0]?.firstPosition ?? 1
  }

  /** Everything before this position is known to be elsewhere too. */
  get confirmed(): Position {
    return this.#catalogue.confirmed ?? 1
  }

  /** What was removed from the front. */
  get removed(): Catalogue['removed'] {
    return this.#catalogue.removed
  }

  /** What was removed and is not known to be on record. */
  get removals(): readonly Removal[] {
    return this.#catalogue.removals ?? []
  }

  /** The store that is written; absent before the first one and when the last one is finished. */
  get newest(): BlockStore | undefined {
    return this.#open.newest
  }

  /** Where the last finished store ends. */
  get finishedEnd(): { nextPosition: Position; chain: Buffer } {
    const finished = this.stores.findLast((store) => store.finished)?.finished ?? this.removed
    return finished
      ? { nextPosition: finished.nextPosition, chain: Buffer.from(finished.chain, 'hex') }
      : { nextPosition: 1, chain: CHAIN_START }
  }

  /** From now on gives what can be read of a store that is not whole; for where nobody salvages it. */
  readAsItIs(): void {
    this.#asItIs = true
  }

  /** Opens the newest store for writing. */
  async openNewest(): Promise<void> {
    const last = this.stores.at(-1)
    if (last && !last.finished) await this.#keep(await BlockStore.open(this.#world, this.path(last.number)))
  }

  /**
   * Finishes the newest store, if any, and begins another.
   * @param at its first position; `chain` the hash its first block continues, both also the finished store's end
   * @param seq above the highest number of any stream
   */
  async begin(at: Position, chain: Buffer, seq: number): Promise<BlockStore> {
    const number = await this.#freeNumber()
    // From before the first store on, so that stores without a catalogue always mean that it was lost.
    if (this.stores.length === 0) await this.#change((catalogue) => catalogue)
    const store = await this.#create(number, at, chain)
    const finished = { nextPosition: at, chain: chain.toString('hex') }
    const begun = { number, firstPosition: at, begunUs: this.#world.clock.wallUs() }
    try {
      await this.#change((catalogue) => {
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
    if (this.newest) await this.#open.drop(this.newest.number)
    await this.begin(at, chain, seq)
  }

  /** Reserves anew when what is used comes near. */
  async reserve(position: Position, seq: number): Promise<void> {
    const { reserved } = this
    if (position + RESERVED / 2 < reserved.position && seq + RESERVED / 2 < reserved.seq) return
    await this.#change((catalogue) => ({ ...catalogue, reserved: reservedAbove(position, seq) }))
  }

  /**
   * Puts a damaged store out of the way, under a dated name. Nothing of it is deleted.
   * @param end where it ends, if it is the newest one
   */
  async setAside(damaged: CatalogueStore, end?: CatalogueStore['finished']): Promise<void> {
    const { files, clock } = this.#world
    const finished = damaged.finished ?? end
    if (!finished || damaged.damaged) return
    await this.#open.drop(damaged.number)
    const aside = await this.#moveAside(damaged.number)
    const next = this.stores[this.stores.indexOf(damaged) + 1]
    const hole: Hole = {
      fromPosition: damaged.firstPosition,
      toPosition: finished.nextPosition,
      fromUs: damaged.begunUs,
      toUs: next?.begunUs ?? clock.wallUs()
    }
    await files.syncDirectory(journalPaths(this.#directory).stores)
    await this.#replace({ ...damaged, finished, merged: false, damaged: { aside, salvaged: false, holes: [hole] } })
  }

  /** Finishes the newest store where it ends, and leaves it as it is. */
  async leave(newest: CatalogueStore, finished: CatalogueStore['finished']): Promise<void> {
    await this.#open.drop(newest.number)
    await this.#replace({ ...newest, ...(finished && { finished }) })
  }

  /** What could be read of a damaged store stands in its place again. */
  async putBack(number: number, holes: readonly Hole[]): Promise<void> {
    const entry = this.find(number)
    if (entry?.damaged) await this.#replace({ ...entry, damaged: { ...entry.damaged, salvaged: true, holes } })
  }

  /**
   * Puts a merged store in the place of the one it was made of. A cut leaves one or the other under the name, or none
   * and the old one beside it (see leftovers.ts). LevelDB opens its files when it needs them, by their path: so this
   * waits for a moment when nobody reads it, and gives false when this is not one.
   * @param merged the folder of the merged one
   */
  async adoptMerged(number: number, merged: string): Promise<boolean> {
    const { files } = this.#world
    const path = this.path(number)
    const old = `${path}.old`
    const adopted = await this.#open.exchange(number, async () => {
      const entry = this.find(number)
      if (!entry?.finished || entry.damaged) throw new Error('it has changed meanwhile')
      await files.rename(path, old)
      try {
        await files.rename(merged, path)
      } catch (error) {
        await files.rename(old, path)
        throw error
      }
      await files.syncDirectory(journalPaths(this.#directory).stores)
    })
    if (!adopted) return false
    await this.#change((catalogue) => {
      const stores = catalogue.stores.map((entry) => (entry.number === number ? { ...entry, merged: true } : entry))
      return { ...catalogue, stores }
    })
    await files.remove(old)
    return true
  }

  /** Everything before this position is known to be elsewhere too; it never goes back. */
  async confirm(position: Position): Promise<void> {
    if (position <= this.confirmed) return
    await this.#change((catalogue) => ({ ...catalogue, confirmed: position }))
  }

  /**
   * Removes the first store, or what was set aside of one: first its name, then its files. It stays among `removals`
   * until it is `settled`.
   */
  async remove(removal: Removal): Promise<void> {
    await this.#change((catalogue) => {
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
    if (removal.what === 'store') await this.#open.drop(removal.store)
    await clearRemoved(this.#world.files, this.#directory, removal)
  }

  /** These removals are on record. */
  async settled(removals: readonly Removal[]): Promise<void> {
    if (removals.length === 0) return
    await this.#change((catalogue) => ({
      ...catalogue,
      removals: (catalogue.removals ?? []).filter((removal) => !removals.includes(removal))
    }))
  }

  /**
   * Blocks in order, from the one that holds `from` to the last that begins before `to`. Damaged ones are passed over
   * and reported to `onDamage`.
   */
  async *blocks(from: Position, to: Position): AsyncGenerator<WholeBlock> {
    for (const entry of this.#readable()) {
      const end = Math.min(to, endOf(entry))
      if (entry.firstPosition >= to || end <= from) continue
      const blocks = this.#lend(entry.number, (store) => store.blocks(from, end))
      yield* this.#whole(entry, blocks)
    }
  }

  /** Whether this position was in a damaged store that has been salvaged. */
  isSalvaged(position: Position): boolean {
    const store = this.stores.find((entry) => entry.firstPosition <= position && position < endOf(entry))
    return store?.damaged?.salvaged === true
  }

  /** The blocks of one store as they are, also damaged ones, from the one that holds `from` on. */
  blocksOfStore(store: CatalogueStore, from: Position): AsyncGenerator<StoredBlock> {
    return this.#lend(store.number, (opened) => opened.blocks(from, endOf(store)), true)
  }

  /** What a store says of itself. */
  async identity(number: number): Promise<Identity> {
    const identities = this.#lend(number, async function* ({ identity }) {
      yield identity
    })
    for await (const identity of identities) return identity
    throw new Error('unreachable')
  }

  /** The blocks that hold events, in order. */
  async *eventBlocks(): AsyncGenerator<WholeBlock> {
    for (const entry of this.#readable()) {
      yield* this.#whole(
        entry,
        this.#lend(entry.number, (store) => store.eventBlocks(endOf(entry)))
      )
    }
  }

  /** The blocks that begin at `from` or later and hold events of the clock, in order. */
  async *timeBlocks(from: Position): AsyncGenerator<WholeBlock> {
    for (const entry of this.#readable()) {
      const end = endOf(entry)
      if (end <= from) continue
      const blocks = this.#lend(entry.number, (store) => store.eventBlocks(end, true, from))
      yield* this.#whole(entry, blocks)
    }
  }

  /**
   * Blocks that may hold entries recorded in a period (wall time, `toUs` exclusive), or in another one at certain
   * positions, in order of position.
   */
  async *blocksOfPeriod(fromUs: Us, toUs: Us, besides: readonly BlindSpan[] = []): AsyncGenerator<WholeBlock> {
    for (const entry of this.#readable()) {
      const end = endOf(entry)
      const also = besides.filter(({ from, to }) => from < end && to > entry.firstPosition)
      const blocks = this.#lend(entry.number, async function* (store) {
        const spans = await store.spans(fromUs, toUs)
        for (const span of also) {
          for (const { from, to } of await store.spans(span.fromUs, span.toUs)) {
            spans.push({ from: Math.max(from, span.from), to: Math.min(to, span.to) })
          }
        }
        let given = -1
        for (const { from, to } of joined(spans)) {
          for await (const block of store.blocks(from, Math.min(to, end))) {
            // Two ranges may begin in the same block.
            if (block.firstPosition > given) yield block
            given = Math.max(given, block.firstPosition)
          }
        }
      })
      yield* this.#whole(entry, blocks)
    }
  }

  /** Bytes of a store's files, or of all stores'. */
  async sizeBytes(number?: number): Promise<number> {
    let bytes = 0
    for (const store of number === undefined ? this.#readable() : [{ number }]) {
      bytes += await folderBytes(this.#world.files, this.path(store.number))
    }
    return bytes
  }

  path(number: number): string {
    return journalPaths(this.#directory).store(number)
  }

  find(number: number): CatalogueStore | undefined {
    return this.stores.find((store) => store.number === number)
  }

  asidePath({ aside }: { aside: string }): string {
    return `${journalPaths(this.#directory).aside}/${aside}`
  }

  async close(): Promise<void> {
    await this.#open.close()
  }

  /** @throws UNDERSTUDY_CURSOR_TOO_OLD when it has been removed, or is while it is read */
  async *#lend<T>(
    number: number,
    use: (store: BlockStore) => AsyncIterable<T>,
    asItIs = this.#asItIs
  ): AsyncGenerator<T> {
    const requireKept = (cause?: unknown): void => {
      if (this.find(number)) return
      throw new UnderstudyError('UNDERSTUDY_CURSOR_TOO_OLD', `store ${number} has been removed`, { cause })
    }
    requireKept()
    try {
      if (asItIs && !(await this.#isWhole(number))) {
        const kind = `look-${this.#world.random.bytes(4).toString('hex')}` as const
        yield* inCopy(this.#world, this.path(number), kind, use)
        return
      }
      await this.#try(number)
      requireKept()
      yield* this.#open.lend(number, use)
    } catch (error) {
      requireKept(error)
      throw error
    }
  }

  async #keep(newest: BlockStore): Promise<void> {
    this.#tried.set(newest.number, Promise.resolve())
    await this.#open.keep(newest)
  }

  /** A store is tried before it is first opened. @throws whatever is wrong with it */
  #try(number: number): Promise<unknown> {
    const { firstPosition, finished, damaged } = this.find(number)!
    const known = this.#tried.get(number)
    if (known !== undefined) return known
    const expected = { end: finished?.nextPosition ?? 0, holes: damaged?.holes ?? [] }
    const tried = tryStore(this.#world, this.path(number), firstPosition, expected)
    this.#tried.set(number, tried)
    tried.catch(() => this.#tried.delete(number))
    return tried
  }

  async #isWhole(number: number): Promise<boolean> {
    try {
      await this.#try(number)
      return true
    } catch {
      return false
    }
  }

  #readable(): CatalogueStore[] {
    return this.stores.filter(({ damaged }) => !damaged || damaged.salvaged)
  }

  /** What cannot be read is passed over. A newest store that fails is the writer's to replace. */
  async *#whole(entry: CatalogueStore, blocks: AsyncIterable<StoredBlock>): AsyncGenerator<WholeBlock> {
    try {
      for await (const block of blocks) {
        const header = headerOf(block)
        if (header) yield { ...block, header }
        else this.onDamage(entry.number)
      }
    } catch (error) {
      const code = error instanceof UnderstudyError ? error.code : undefined
      if (code === 'UNDERSTUDY_CURSOR_TOO_OLD' || entry.number === this.newest?.number) throw error
      if (code === undefined || !intact.has(code)) this.onDamage(entry.number)
    }
  }

  /** A begin that was cut off before the catalogue named its store leaves a folder; what is there is never touched. */
  async #freeNumber(): Promise<number> {
    await this.#world.files.makeDirectory(journalPaths(this.#directory).stores, 0o750)
    let number = (this.stores.at(-1)?.number ?? 0) + 1
    while (await this.#world.files.info(this.path(number))) number++
    return number
  }

  async #create(number: number, firstPosition: Position, chain: Buffer): Promise<BlockStore> {
    const after = this.stores.at(-1)?.number ?? null
    const identity = { number, firstPosition, after, chain: chain.toString('hex') }
    try {
      const store = await BlockStore.create(this.#world, this.path(number), identity)
      await this.#world.files.syncDirectory(journalPaths(this.#directory).stores)
      return store
    } catch (error) {
      // It was not there before this call: without this a full disk would collect a folder a second.
      await this.#world.files.remove(this.path(number)).catch(() => {})
      throw error
    }
  }

  async #moveAside(number: number): Promise<string> {
    const { files } = this.#world
    const { aside } = journalPaths(this.#directory)
    await files.makeDirectory(aside, 0o750)
    const id = String(number).padStart(6, '0')
    let name = await datedName(this.#world, aside, id)
    if (await files.info(this.path(number))) await files.rename(this.path(number), `${aside}/${name}`)
    else {
      // It is gone altogether, or was moved before the catalogue could say so.
      const names = (await files.list(aside)).map((entry) => entry.name).sort()
      name = names.findLast((moved) => new RegExp(`^[-\\d]+-${id}(-\\d+)?$`).test(moved)) ?? name
    }
    await files.syncDirectory(aside)
    return name
  }

  async #replace(changed: CatalogueStore): Promise<void> {
    await this.#change((catalogue) => replaced(catalogue, changed))
  }

  /** Changes come one after the other, each upon what the one before has written. */
  #change(change: (catalogue: Catalogue) => Catalogue): Promise<void> {
    const changed = this.#changed.then(async () => {
      const catalogue = change(this.#catalogue)
      await writeCatalogue(this.#world.files, journalPaths(this.#directory).catalogue, catalogue)
      this.#catalogue = catalogue
    })
    this.#changed = changed.catch(() => {})
    return changed
  }
}

/** What does not mean that a store is damaged. */
const intact: ReadonlySet<string> = new Set(['UNDERSTUDY_STORE_NEWER', 'UNDERSTUDY_STORE_IN_USE'])

function replaced(catalogue: Catalogue, changed: CatalogueStore): Catalogue {
  return { ...catalogue, stores: catalogue.stores.map((entry) => (entry.number === changed.number ? changed : entry)) }
}

function headerOf(block: StoredBlock): BlockHeader | undefined {
  try {
    return readHeader(block.value)
  } catch {
    return undefined
  }
}

/** What a store holds from here on (a write that failed and yet arrived) is not the journal's. */
function endOf({ finished }: CatalogueStore): Position {
  return finished?.nextPosition ?? Number.MAX_SAFE_INTEGER
}

/** The same positions in order, without overlaps. */
function joined(some: readonly Positions[]): readonly Positions[] {
  const ranges: Positions[] = []
  for (const range of some.filter(({ from, to }) => from < to).sort((a, b) => a.from - b.from)) {
    const last = ranges.at(-1)
    if (!last || range.from > last.to) ranges.push(range)
    else ranges[ranges.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
  }
  return ranges
}

function reservedAbove(position: Position, seq: number): Catalogue['reserved'] {
  return { position: position + RESERVED, seq: seq + RESERVED }
}
