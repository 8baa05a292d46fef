import { UnderstudyError } from '../errors.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { type BlockHeader, readHeader, type StoredBlock, type WholeBlock } from './block.ts'
import type { CatalogueStore } from './catalogue.ts'
import type { Position } from './entry.ts'
import { folderBytes } from './folder-bytes.ts'
import { KeptCatalogue, type LoadedCatalogue } from './kept-catalogue.ts'
import { OpenStores } from './open-stores.ts'
import { journalPaths } from './paths.ts'
import type { Positions } from './reading.ts'
import type { BlockStore, Identity } from './store.ts'
import type { BlindSpan } from './timeline.ts'
import { inCopy, tryStore } from './trial.ts'
import { isWithoutRoom } from './without-room.ts'

/** The blocks of the stores that a catalogue lists, read as one. */
export class StoredBlocks extends KeptCatalogue {
  /** Called when a finished store turns out to be damaged. */
  onDamage: (store: number) => void = () => {}
  /** Stores that could not be read when last asked, and yet may be whole: a newer release's, in use, or no room to try. */
  readonly unread = new Set<number>()
  protected readonly open: OpenStores
  /** Stores that were found whole, or begun, since the start. */
  protected readonly tried = new Map<number, Promise<unknown>>()
  #asItIs = false

  protected constructor(world: World, directory: string, loaded: LoadedCatalogue) {
    super(world, directory, loaded)
    this.open = new OpenStores(world, (number) => this.path(number))
  }

  /** The store that is written; absent before the first one and when the last one is finished. */
  get newest(): BlockStore | undefined {
    return this.open.newest
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
      bytes += await folderBytes(this.world.files, this.path(store.number))
    }
    return bytes
  }

  path(number: number): string {
    return journalPaths(this.directory).store(number)
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
        const kind = `look-${this.world.random.bytes(4).toString('hex')}` as const
        yield* inCopy(this.world, this.path(number), kind, use)
        return
      }
      await this.#try(number)
      requireKept()
      yield* this.open.lend(number, use)
    } catch (error) {
      requireKept(error)
      throw error
    }
  }

  /** A store is tried before it is first opened. @throws whatever is wrong with it */
  #try(number: number): Promise<unknown> {
    const { firstPosition, finished, damaged } = this.find(number)!
    const known = this.tried.get(number)
    if (known !== undefined) return known
    const expected = { end: finished?.nextPosition ?? 0, holes: damaged?.holes ?? [] }
    const tried = tryStore(this.world, this.path(number), firstPosition, expected)
    this.tried.set(number, tried)
    tried.catch(() => this.tried.delete(number))
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
      this.unread.delete(entry.number)
    } catch (error) {
      const code = error instanceof UnderstudyError ? error.code : undefined
      if (code === 'UNDERSTUDY_CURSOR_TOO_OLD' || entry.number === this.newest?.number) throw error
      if (intact.has(code ?? '') || isWithoutRoom(error)) this.unread.add(entry.number)
      else this.onDamage(entry.number)
    }
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
