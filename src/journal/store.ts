import { crc32 } from 'node:zlib'
import { UnderstudyError } from '../errors.ts'
import type { Operation, Store } from '../world/stores.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { type BlockHeader, blockEnd, type Dictionaries, readHeader, type StoredBlock } from './block.ts'
import { readU64, writeU64 } from './bytes.ts'
import { dictionaries, newestDictionary } from './dictionary.ts'
import type { Position } from './entry.ts'
import { ProofKeeper } from './proof.ts'
import type { SealedBlock } from './seal.ts'
import { isDiskFault } from './without-room.ts'

/*
 * One store of the series is one LevelDB. Its keys are a letter, then 8 bytes:
 *
 *   b position  a block, by the position of its first entry
 *   e position  that block holds events; `t` where one tells of the clock, else empty
 *   h position  from that block on, until the next such key, all blocks lie between two hours: u32 first, u32 last
 *   d number    a zstd dictionary
 *   m 0         what this store is: JSON (Identity), with a CRC-32 of the rest of it as `crc32`
 *
 * `e` and `h` only say where to look and can be made anew from the blocks.
 */
const STORE_FORMAT = 1
/** Of every key. */
export const KEY_BYTES = 9
const HOUR_US = 3_600_000_000

/** What a store says of itself. */
export interface Identity {
  readonly format: number
  readonly number: number
  readonly firstPosition: Position
  /** The store before it, null for the first, and the last hash known there, in hex. */
  readonly after: number | null
  readonly chain: string
}

/** One store of the series: an append-only list of blocks with what finds them. */
export class BlockStore {
  readonly identity: Identity
  /** The zstd dictionaries its blocks may use. */
  readonly dictionaries: Dictionaries
  /** The one that new blocks use: 0 for none, where the store was made without the newest. */
  readonly dictionary: number
  readonly #store: Store
  /** The hours of the newest run, as stored under `h`. */
  #run: readonly [number, number] | undefined
  /** Begins to keep the mark of what is proved, see proof.ts. */
  #startProof: ((committed: Position) => Promise<ProofKeeper>) | undefined
  #proof: ProofKeeper | undefined
  #last: SealedBlock | undefined

  private constructor(identity: Identity, store: Store, dictionaries: Dictionaries, dictionary = newestDictionary) {
    this.identity = identity
    this.#store = store
    this.dictionaries = dictionaries
    this.dictionary = dictionary
  }

  static async create(world: World, directory: string, described: Omit<Identity, 'format'>): Promise<BlockStore> {
    const identity = { ...described, format: STORE_FORMAT }
    const store = await world.stores.open(directory, { create: true })
    const value = writeIdentity(identity)
    const operations: Operation[] = [{ type: 'put', key: key('m', 0), value }]
    for (const [id, value] of dictionaries) operations.push({ type: 'put', key: key('d', id), value })
    try {
      await store.batch(operations, { sync: true })
    } catch (error) {
      // Left open, it would hold the lock on a folder of this name for ever.
      await store.close().catch(() => {})
      throw error
    }
    return new BlockStore(identity, store, dictionaries)
  }

  /** @throws UNDERSTUDY_STORE_IN_USE, UNDERSTUDY_STORE_UNREADABLE, UNDERSTUDY_STORE_NEWER */
  static async open(world: World, directory: string): Promise<BlockStore> {
    const store = await world.stores.open(directory, { create: false })
    try {
      const identity = readIdentity(await store.get(key('m', 0)))
      const own = new Map<number, Buffer>()
      for (const [found, value] of await all(store, 'd')) own.set(readU64(found, 1), value)
      const dictionary = own.has(newestDictionary) ? newestDictionary : 0
      // The store's copies are for programs that do not know them. They have no checksum: ours are certain.
      for (const [id, known] of dictionaries) own.set(id, known)
      const opened = new BlockStore(identity, store, own, dictionary)
      const [lastRun] = await all(store, 'h', { reverse: true, limit: 1 })
      if (lastRun) opened.#run = readHours(lastRun[1])
      return opened
    } catch (error) {
      await store.close()
      if (error instanceof UnderstudyError) throw error
      throw new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', directory, { cause: error })
    }
  }

  /**
   * The blocks of a store that may have lost everything else, as far as they can be read.
   * @throws where the disk fails
   */
  static async *rawBlocks(world: World, directory: string): AsyncGenerator<StoredBlock> {
    if (!(await world.files.info(directory))) return
    const store = await world.stores.open(directory, { create: false })
    try {
      yield* new BlockStore(unknown, store, dictionaries).blocks(0)
    } catch (error) {
      // What lies behind damage cannot be read; what a failing disk keeps back may be read later.
      if (isDiskFault(error)) throw error
    } finally {
      await store.close()
    }
  }

  get number(): number {
    return this.identity.number
  }

  /** Stores blocks all or none, synced. Gives the bytes handed to LevelDB. */
  async append(blocks: readonly SealedBlock[]): Promise<number> {
    const operations: Operation[] = []
    let run = this.#run
    let bytes = 0
    for (const block of blocks) {
      operations.push({ type: 'put', key: key('b', block.firstPosition), value: block.value })
      if (block.hasEvents) {
        const value = block.tellsTime ? tellingTime : nothing
        operations.push({ type: 'put', key: key('e', block.firstPosition), value })
      }
      const hours = [hourOf(block.earliestUs), hourOf(block.latestUs)] as const
      if (run?.[0] !== hours[0] || run[1] !== hours[1]) {
        operations.push({ type: 'put', key: key('h', block.firstPosition), value: writeHours(hours) })
        run = hours
      }
      bytes += block.value.length
    }
    const [first] = blocks
    if (first) await this.#prove(first.firstPosition, bytes)
    try {
      await this.#store.batch(operations, { sync: true })
    } catch (error) {
      await this.#proof?.end()
      throw error
    }
    this.#run = run
    this.#last = blocks.at(-1)
    return bytes
  }

  /** The last block's header, or `undefined` in an empty store. @throws UNDERSTUDY_BLOCK_DAMAGED */
  async last(): Promise<BlockHeader | undefined> {
    const [found] = await all(this.#store, 'b', { reverse: true, limit: 1 })
    return found && readHeader(found[1])
  }

  /**
   * Blocks in order, beginning with the one that holds `from`, as far as those that begin before `to`.
   */
  async *blocks(from: Position, to: Position = Number.MAX_SAFE_INTEGER): AsyncGenerator<StoredBlock> {
    const [before] = await all(this.#store, 'b', { lte: key('b', from), reverse: true, limit: 1 })
    const scan = this.#store.scan({ gte: before?.[0] ?? key('b', from), lt: key('b', to) })
    try {
      for (let pairs = await scan.next(64); pairs.length > 0; pairs = await scan.next(64)) {
        for (const [found, value] of pairs) yield this.#block(found, value)
      }
    } finally {
      await scan.close()
    }
  }

  /** The blocks that hold events (of the clock only, if so asked) and begin before `to`, in order. */
  async *eventBlocks(to: Position, ofTime = false, from: Position = 0): AsyncGenerator<StoredBlock> {
    for (const [found, value] of await all(this.#store, 'e', { gte: key('e', from) })) {
      if (readU64(found, 1) >= to) return
      if (ofTime && value.length === 0) continue
      const block = await this.#store.get(key('b', readU64(found, 1)))
      if (block) yield this.#block(found, block)
    }
  }

  /** Where blocks may lie that hold entries of a period: ranges of positions, `to` exclusive, in order. */
  async spans(fromUs: Us, toUs: Us): Promise<Array<{ from: Position; to: Position }>> {
    const first = hourOf(Math.max(0, fromUs))
    const last = hourOf(Math.max(0, toUs - 1))
    const runs = await all(this.#store, 'h')
    const spans: Array<{ from: Position; to: Position }> = []
    runs.forEach(([found, value], index) => {
      const [earliest, latest] = readHours(value)
      if (latest < first || earliest > last) return
      const from = readU64(found, 1)
      const next = runs[index + 1]
      const to = next ? readU64(next[0], 1) : Number.MAX_SAFE_INTEGER
      const previous = spans.at(-1)
      if (previous?.to === from) previous.to = to
      else spans.push({ from, to })
    })
    return spans
  }

  /** Brings everything into tables of its own, none of which overlap. */
  compact(): Promise<void> {
    return this.#store.compact()
  }

  /**
   * From the first block appended on keeps on the disk what of it need not be proved when it is next opened.
   * @param directory where it lies
   */
  keepProof(world: World, directory: string): void {
    const made = this.#run === undefined
    this.#startProof = (committed) => ProofKeeper.start(world, directory, committed, made)
  }

  async close(): Promise<void> {
    await this.#store.close()
    if (this.#last) await this.#proof?.close(blockEnd(this.#last.value), this.#last.chainAfter)
  }

  async #prove(committed: Position, bytes: number): Promise<void> {
    const start = this.#startProof
    this.#startProof = undefined
    // Without it the next start takes longer, no more.
    if (start) this.#proof = await start(committed).catch(() => undefined)
    this.#proof?.writing(committed, bytes)
  }

  #block(found: Buffer, value: Buffer): StoredBlock {
    return { store: this.number, firstPosition: readU64(found, 1), value, dictionaries: this.dictionaries }
  }
}

const nothing = Buffer.alloc(0)
const tellingTime = Buffer.from('t')

/** Of a store that may not be able to say. */
const unknown: Identity = { format: STORE_FORMAT, number: 0, firstPosition: 0, after: null, chain: '' }

function key(kind: string, number: number): Buffer {
  const made = Buffer.allocUnsafe(KEY_BYTES)
  made[0] = kind.charCodeAt(0)
  writeU64(made, number, 1)
  return made
}

/** All pairs of one kind, or those of them that a narrower range names. */
async function all(
  store: Store,
  kind: string,
  range: { gte?: Buffer; lte?: Buffer; reverse?: boolean; limit?: number } = {}
): Promise<Array<[Buffer, Buffer]>> {
  const end = range.lte ? { lte: range.lte } : { lt: Buffer.from([kind.charCodeAt(0) + 1]) }
  const scan = store.scan({ gte: Buffer.from(kind), ...range, ...end })
  const pairs: Array<[Buffer, Buffer]> = []
  try {
    for (let more = await scan.next(1000); more.length > 0; more = await scan.next(1000)) pairs.push(...more)
  } finally {
    await scan.close()
  }
  return pairs
}

function writeIdentity(identity: Identity): Buffer {
  return Buffer.from(JSON.stringify({ ...identity, crc32: crc32(JSON.stringify(identity)) }))
}

function readIdentity(value: Buffer | undefined): Identity {
  if (!value) throw new Error('it does not say what it is')
  const { crc32: checksum, ...identity } = JSON.parse(value.toString('utf8')) as Identity & { crc32?: number }
  const { format } = identity
  if (format !== STORE_FORMAT) throw new UnderstudyError('UNDERSTUDY_STORE_NEWER', `store format ${format}`)
  // The first ones had none.
  if (checksum !== undefined && checksum !== crc32(JSON.stringify(identity))) {
    throw new Error('the checksum of what it says that it is is wrong')
  }
  return identity
}

function hourOf(us: Us): number {
  return Math.floor(us / HOUR_US)
}

function writeHours([first, last]: readonly [number, number]): Buffer {
  const value = Buffer.allocUnsafe(8)
  value.writeUInt32BE(first, 0)
  value.writeUInt32BE(last, 4)
  return value
}

function readHours(value: Buffer): readonly [number, number] {
  return [value.readUInt32BE(0), value.readUInt32BE(4)]
}
