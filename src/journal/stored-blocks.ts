import { UnderstudyError } from '../errors.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { type BlockHeader, readHeader, type StoredBlock, type WholeBlock } from './block.ts'
import { type CatalogueStore, type DataDisk, type StoreFinish, usedEnd } from './catalogue.ts'
import type { Disks } from './disks.ts'
import type { Position } from './entry.ts'
import { folderBytes } from './folder-bytes.ts'
import { KeptCatalogue, type LoadedCatalogue } from './kept-catalogue.ts'
import { OpenStores } from './open-stores.ts'
import { journalPaths } from './paths.ts'
import type { Positions } from './reading.ts'
import type { BlockStore, Identity } from './store.ts'
import type { BlindSpan } from './timeline.ts'
import { inCopy, type StoreEnd, tryStore } from './trial.ts'
import { isWithoutRoom } from './without-room.ts'

/** The blocks of the stores that a catalogue lists, read as one. */
export class StoredBlocks extends KeptCatalogue {
  /** Called when a finished store turns out to be damaged. */
  onDamage: (store: number) => void = () => {}
  /** Stores that could not be read when last asked, and yet may be whole: a newer release's, in use, or no room to try. */
  readonly unread = new Set<number>()
  /** How often something could not be read and was passed over. */
  passedOver = 0
  /** Stores that were reported to `onDamage`, until they are found whole or have been salvaged. */
  protected readonly suspects = new Set<number>()
  protected readonly disks: Disks
  protected readonly open: OpenStores
  /** Stores that were found whole, or begun, since the start. */
  protected readonly tried = new Map<number, Promise<unknown>>()
  /** Where the last store ends that failed to be written, until that is in the catalogue. */
  protected abandonedAt: Position | undefined
  #asItIs = false

  protected constructor(world: World, directory: string, loaded: LoadedCatalogue, disks: Disks) {
    super(world, directory, loaded)
    this.disks = disks
    this.open = new OpenStores(world, (number) => this.path(number))
  }

  protected override get copyDisk(): DataDisk | undefined {
    const id = this.disks.target
    const folder = id === undefined ? undefined : this.disks.folder(id)
    return id === undefined || folder === undefined ? undefined : { id, folder }
  }

  /** The store that is written; absent before the first one and when the last one is finished. */
  get newest(): BlockStore | undefined {
    return this.open.newest
  }

  /** Whether it lies on a data disk that is not there. */
  isAway({ disk }: CatalogueStore): boolean {
    return disk !== undefined && this.disks.folder(disk) === undefined
  }

  /** The stores that lie on a data disk that is not there. */
  get away(): readonly CatalogueStore[] {
    return this.stores.filter((store) => this.isAway(store))
  }

  /** From now on gives what can be read of a store that is not whole; for where nobody salvages it. */
  readAsItIs(): void {
    this.#asItIs = true
  }

  /**
   * Blocks in order, from the one that holds `from` to the last that begins before `to`. Damaged ones are passed over
   * and reported to `onDamage`.
   */
  async *blocks(from: Position, to: Position): AsyncGenerator<WholeBlock> {
    for (const entry of this.#readable()) {
      const end = Math.min(to, this.#endOf(entry))
      if (entry.firstPosition >= to || end <= from) continue
      const blocks = this.#lend(entry.number, (store) => store.blocks(from, end))
      yield* this.#whole(entry, blocks)
    }
  }

  /** Whether what could not be read at this position can be read now: it was salvaged, or its disk is back. */
  isReadableAgain(position: Position): boolean {
    const store = this.stores.findLast((entry) => entry.firstPosition <= position)
    return !store || !this.#isAwaited(store)
  }

  /** What of these positions cannot be read now, and may be later. */
  awaited({ from, to }: Positions): Positions[] {
    return this.stores.flatMap((store, index) => {
      const end = Math.min(to, this.stores[index + 1]?.firstPosition ?? to)
      const begin = Math.max(from, store.firstPosition)
      return begin < end && this.#isAwaited(store) ? [{ from: begin, to: end }] : []
    })
  }

  /** What was removed will never be read: it need not be waited for. */
  #isAwaited(store: CatalogueStore): boolean {
    const { number, finished, damaged, removed } = store
    if (removed) return false
    if (this.isAway(store) || finished?.rest === 'unknown' || damaged?.salvaged === false) return true
    return this.suspects.has(number) || this.unread.has(number)
  }

  /** The blocks of one store as they are, also damaged ones, from the one that holds `from` on. */
  blocksOfStore(store: CatalogueStore, from: Position): AsyncGenerator<StoredBlock> {
    return this.#lend(store.number, (opened) => opened.blocks(from, this.#endOf(store)), true)
  }

  /** What a store says of itself. */
  async identity(number: number): Promise<Identity> {
    const identities = this.#lend(number, async function* ({ identity }) {
      yield identity
    })
    for await (const identity of identities) return identity
    throw new Error('unreachable')
  }

  /** The blocks that begin at `from` or later and hold events, in order. */
  async *eventBlocks(from: Position = 0): AsyncGenerator<WholeBlock> {
    for (const entry of this.#readable()) {
      const end = this.#endOf(entry)
      if (end <= from) continue
      const blocks = this.#lend(entry.number, (store) => store.eventBlocks(end, false, from))
      yield* this.#whole(entry, blocks)
    }
  }

  /** The blocks that begin at `from` or later and hold events of the clock, in order. */
  async *timeBlocks(from: Position): AsyncGenerator<WholeBlock> {
    for (const entry of this.#readable()) {
      const end = this.#endOf(entry)
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
      const end = this.#endOf(entry)
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
      bytes += await folderBytes(this.world.files, this.path(store.number))
    }
    return bytes
  }

  /** @throws UNDERSTUDY_DISK_AWAY */
  path(number: number): string {
    return this.paths(this.find(number)?.disk).store(number)
  }

  /**
   * Where things lie on a data disk, or in the data folder without one.
   * @throws UNDERSTUDY_DISK_AWAY
   */
  protected paths(disk: string | undefined): ReturnType<typeof journalPaths> {
    const folder = disk === undefined ? this.directory : this.disks.folder(disk)
    if (folder === undefined) throw new UnderstudyError('UNDERSTUDY_DISK_AWAY')
    return journalPaths(folder)
  }

  /** @throws UNDERSTUDY_CURSOR_TOO_OLD when it has been removed, or is while it is read */
  async *#lend<T>(
    number: number,
    use: (store: BlockStore) => AsyncIterable<T>,
    asItIs = this.#asItIs
  ): AsyncGenerator<T> {
    const requireKept = (cause?: unknown): void => {
      const store = this.find(number)
      if (store && this.isAway(store)) throw new UnderstudyError('UNDERSTUDY_DISK_AWAY', `store ${number}`, { cause })
      if (store && !store.removed) return
      throw new UnderstudyError('UNDERSTUDY_CURSOR_TOO_OLD', `store ${number} has been removed`, { cause })
    }
    requireKept()
    try {
      if (asItIs && !(await this.isWhole(number))) {
        yield* inCopy(this.world, this.path(number), use)
        return
      }
      await this.#try(number)
      requireKept()
      yield* this.open.lend(number, use)
    } catch (error) {
      await this.#noticeLoss(number, error)
      requireKept(error)
      throw error
    }
  }

  /** Where a store could not be read, it may be that its disk has gone. */
  async #noticeLoss(number: number, error: unknown): Promise<void> {
    const disk = this.find(number)?.disk
    if (disk !== undefined && !(await this.disks.isAlive(disk))) await this.loseDisk(disk, error)
  }

  /** What lies on a disk that has failed counts as away. The newest store is the writer's to give up. */
  protected async loseDisk(id: string, error: unknown): Promise<void> {
    this.disks.lose(id, error)
    for (const { number, disk } of this.stores) {
      if (disk === id && number !== this.newest?.number) await this.forget(number)
    }
  }

  /** A store that may have changed behind our back is closed, and tried anew before it is next opened. */
  protected async forget(number: number): Promise<void> {
    this.tried.delete(number)
    this.suspects.delete(number)
    await this.open.drop(number)
  }

  /** A store is tried before it is first opened. @throws whatever is wrong with it */
  #try(number: number): Promise<unknown> {
    const store = this.find(number)!
    const known = this.tried.get(number)
    if (known !== undefined) return known
    const { firstPosition, finished, damaged } = store
    const expected = { end: finished ? usedEnd(finished) : 0, holes: damaged?.holes ?? [] }
    const tried = this.open.hold(number, async (): Promise<unknown> => {
      if (finished?.rest === 'unknown') return this.#settleEnd(number, firstPosition, finished)
      return tryStore(this.world, this.path(number), firstPosition, expected)
    })
    this.tried.set(number, tried)
    tried.catch(() => {
      if (this.tried.get(number) === tried) this.tried.delete(number)
    })
    return tried
  }

  /**
   * Looks where a store ends that was finished while its disk was away: what it holds beyond that end is the journal's
   * too.
   * @throws when it does not reach that end, or is otherwise damaged
   */
  async #settleEnd(number: number, firstPosition: Position, finished: StoreFinish): Promise<void> {
    const { nextPosition, chain } = finished
    const settle = async (end: StoreFinish): Promise<void> => {
      const store = this.find(number)
      if (store) await this.replace({ ...store, finished: end })
    }
    let end: StoreEnd
    try {
      end = await tryStore(this.world, this.path(number), firstPosition)
    } catch (error) {
      const disk = this.find(number)?.disk
      if (isWithoutRoom(error) || disk === undefined || !(await this.disks.isAlive(disk))) throw error
      // Of one that is damaged it is not known how far it reached.
      const next = this.stores[this.stores.findIndex((store) => store.number === number) + 1]
      await settle({ nextPosition: next?.firstPosition ?? nextPosition, chain, usedTo: nextPosition })
      throw error
    }
    if (end && end.nextPosition >= nextPosition) {
      return settle({ nextPosition: end.nextPosition, chain: end.chain.toString('hex'), rest: 'unused' })
    }
    await settle({ nextPosition, chain, rest: 'unused' })
    if (nextPosition > firstPosition) throw new Error(`it ends before ${nextPosition}`)
  }

  /**
   * Whether a store is what it should be, as far as can be told.
   * @param again although it was tried since the start
   */
  async isWhole(number: number, again = false): Promise<boolean> {
    try {
      if (again) {
        await this.tried.get(number)
        this.tried.delete(number)
      }
      await this.#try(number)
      if (again) this.suspects.delete(number)
      return true
    } catch (error) {
      await this.#noticeLoss(number, error)
      if (isWithoutRoom(error)) throw error
      return error instanceof UnderstudyError && intact.has(error.code)
    }
  }

  #readable(): CatalogueStore[] {
    return this.stores.filter(
      (store) => (!store.damaged || store.damaged.salvaged) && !store.removed && !this.isAway(store)
    )
  }

  /** What a store holds from here on (a write that failed and yet arrived) is not the journal's. */
  #endOf({ finished }: CatalogueStore): Position {
    return finished?.nextPosition ?? (this.newest ? undefined : this.abandonedAt) ?? Number.MAX_SAFE_INTEGER
  }

  /** What cannot be read is passed over. A newest store that fails is the writer's to replace. */
  async *#whole(entry: CatalogueStore, blocks: AsyncIterable<StoredBlock>): AsyncGenerator<WholeBlock> {
    try {
      for await (const block of blocks) {
        const header = headerOf(block)
        if (header) yield { ...block, header }
        else {
          this.passedOver++
          this.#suspect(entry.number)
        }
      }
      this.unread.delete(entry.number)
    } catch (error) {
      const code = error instanceof UnderstudyError ? error.code : undefined
      this.passedOver++
      if (code === 'UNDERSTUDY_DISK_AWAY') return
      if (code === 'UNDERSTUDY_CURSOR_TOO_OLD') throw error
      if (!entry.finished && !this.#asItIs)
        throw code
          ? error
          : new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', `store ${entry.number}`, { cause: error })
      if (intact.has(code ?? '') || isWithoutRoom(error)) this.unread.add(entry.number)
      else this.#suspect(entry.number)
    }
  }

  #suspect(number: number): void {
    this.suspects.add(number)
    this.onDamage(number)
  }
}

/** What does not mean that a store is damaged. */
const intact: ReadonlySet<string> = new Set(['UNDERSTUDY_STORE_NEWER', 'UNDERSTUDY_STORE_IN_USE'])

/** Nothing of a block that is damaged, or stands under another's key: keys have no checksum. */
function headerOf(block: StoredBlock): BlockHeader | undefined {
  try {
    const header = readHeader(block.value)
    return header.firstPosition === block.firstPosition ? header : undefined
  } catch {
    return undefined
  }
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
