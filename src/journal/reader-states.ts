import { UnderstudyError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Operation, Store } from '../world/stores.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { datedName } from './dated-name.ts'
import { journalPaths } from './paths.ts'
import type { Place } from './reading.ts'
import { withRoom } from './reserve.ts'
import { isPassing } from './without-room.ts'

/** How far a reader has come, and when it said so. */
type Seen = Place & { readonly seenUs: Us }

/** A key of a reader, and what it keeps under it. */
export type Kept = readonly [key: string, value: Buffer]

/** Of the store as a whole, and of what lies in it but for what readers make of messages, which have versions of their own. */
const FORMAT = 1
const FORMAT_KEY = Buffer.from('\0format')
/** No name of a reader lies before it. */
const FIRST_READER = Buffer.from([1])

/**
 * The store of the readers: each has a cursor and whatever it keeps, committed together, so that a reader takes every
 * entry into account exactly once. Keys are `<reader>\0c` for the cursor and `<reader>\0s<key>` for what it keeps;
 * `\0format` is the store's format, JSON, absent in the oldest.
 */
export class ReaderStates {
  readonly #world: World
  readonly #open: () => Promise<Store>
  /** Of every reader, as on the disk or older: what a reader needs is known also while the store cannot be opened. */
  readonly #seen: Map<string, Seen>
  #store: Promise<Store>
  #closed = false

  private constructor(world: World, open: () => Promise<Store>, store: Store, seen: Map<string, Seen>) {
    this.#world = world
    this.#open = open
    this.#store = Promise.resolve(store)
    this.#seen = seen
  }

  /**
   * A damaged one, or a newer release's, is set aside under a dated name, and another begun: then the readers begin anew.
   * One that cannot be read or written for now is left as it is.
   * @param bufferBytes its log is not longer: opening it takes as much room
   * @throws UNDERSTUDY_ALREADY_RUNNING when another process has it open
   */
  static async open(world: World, directory: string, log: Log, bufferBytes?: number): Promise<ReaderStates> {
    const { readers: path, aside } = journalPaths(directory)
    const open = (): Promise<Store> => openOrMake(world, path, bufferBytes)
    try {
      const suspect = (await world.files.info(path)) ? await world.stores.damagedTables(path) : []
      // Only who has the lock may judge: what another process is just writing looks damaged too.
      const store = await withRoom(world.files, directory, open)
      const damaged = await stillDamaged(world, path, suspect, store)
      const format = damaged.length === 0 ? await formatOf(store) : undefined
      if (format !== undefined && format <= FORMAT) return await ReaderStates.#read(world, open, store)
      await store.close()
      if (format === undefined) {
        log.error({ tables: damaged.length }, "the readers' store is damaged; it is set aside and another begun")
      } else {
        log.error({ format }, "the readers' store was written by a newer release; it is kept aside, and another begun")
      }
    } catch (error) {
      const code = error instanceof UnderstudyError ? error.code : undefined
      if (code === 'UNDERSTUDY_STORE_IN_USE') {
        throw new UnderstudyError('UNDERSTUDY_ALREADY_RUNNING', directory, { cause: error })
      }
      if (code !== 'UNDERSTUDY_STORE_UNREADABLE' || isPassing(error)) throw error
      log.error({ err: error }, "the readers' store is damaged; it is set aside and another begun")
    }
    await world.files.makeDirectory(aside, 0o750)
    await world.files.rename(path, `${aside}/${await datedName(world, aside, 'readers')}`)
    return ReaderStates.#read(world, open, await open())
  }

  static async #read(world: World, open: () => Promise<Store>, store: Store): Promise<ReaderStates> {
    try {
      return new ReaderStates(world, open, store, await readAllSeen(store))
    } catch (error) {
      await store.close()
      throw error
    }
  }

  /** Where a reader goes on, or `undefined` when it has not begun. */
  place(reader: string): Place | undefined {
    const seen = this.#seen.get(reader)
    if (!seen) return undefined
    const { seenUs: _, ...place } = seen
    return place
  }

  /** Every reader with its place, and when it last said so (wall time). */
  all(): Array<Seen & { readonly reader: string }> {
    return [...this.#seen].map(([reader, seen]) => ({ reader, ...seen }))
  }

  async get(reader: string, key: string): Promise<Buffer | undefined> {
    return this.#use((store) => store.get(Buffer.from(`${reader}\0s${key}`)))
  }

  /** What a reader keeps under keys that begin so, in their order. */
  async entries(reader: string, prefix: string): Promise<Kept[]> {
    const found: Kept[] = []
    for (let some = await this.some(reader, prefix); some.length > 0; ) {
      found.push(...some)
      some = await this.some(reader, prefix, some.at(-1)![0])
    }
    return found
  }

  /**
   * A hundred or so of them, one at least where there are any.
   * @param after only those behind this key
   */
  async some(reader: string, prefix: string, after?: string): Promise<Kept[]> {
    const start = Buffer.from(`${reader}\0s`)
    const first = Buffer.concat([start, Buffer.from(prefix)])
    const from = after === undefined ? { gte: first } : { gt: Buffer.concat([start, Buffer.from(after)]) }
    return this.#use(async (store) => {
      const scan = store.scan({ ...from, lt: Buffer.concat([first, Buffer.from([0xff])]) })
      try {
        return (await scan.next(100)).map(([key, value]) => [key.subarray(start.length).toString(), value] as const)
      } finally {
        await scan.close()
      }
    })
  }

  /** Stores what a reader wrote and its place, all or none, synced. `undefined` removes a key. */
  async commit(
    reader: string,
    place: Place,
    changes: Iterable<readonly [key: string, value: Uint8Array | undefined]>
  ): Promise<void> {
    const seen: Seen = { ...place, seenUs: this.#world.clock.wallUs() }
    const operations: Operation[] = [
      { type: 'put', key: Buffer.from(`${reader}\0c`), value: Buffer.from(JSON.stringify(seen)) }
    ]
    for (const [name, value] of changes) {
      const key = Buffer.from(`${reader}\0s${name}`)
      operations.push(value ? { type: 'put', key, value } : { type: 'del', key })
    }
    await this.#use((store) => store.batch(operations, { sync: true }))
    this.#seen.set(reader, seen)
  }

  /**
   * After a failed write LevelDB fails each later one too: a new one may do better, now or the next time.
   * @throws UNDERSTUDY_JOURNAL_CLOSED
   */
  async #use<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const former = this.#store
    try {
      return await work(await former)
    } catch (error) {
      if (this.#closed) throw new UnderstudyError('UNDERSTUDY_JOURNAL_CLOSED', '', { cause: error })
      if (this.#store === former) this.#store = this.#openAnew(former)
      return work(await this.#store)
    }
  }

  async #openAnew(former: Promise<Store>): Promise<Store> {
    await former.then((store) => store.close()).catch(() => {})
    return this.#open()
  }

  async close(): Promise<void> {
    this.#closed = true
    // One that could not be opened has told whoever wanted it.
    const store = await this.#store.catch(() => undefined)
    await store?.close()
  }
}

/** `undefined` where what stands there is none. */
async function formatOf(store: Store): Promise<number | undefined> {
  const value = await store.get(FORMAT_KEY).catch(async (error: unknown) => {
    await store.close()
    throw error
  })
  if (!value) return 1
  try {
    const format: unknown = JSON.parse(value.toString())
    return typeof format === 'number' ? format : undefined
  } catch {
    return undefined
  }
}

async function readAllSeen(store: Store): Promise<Map<string, Seen>> {
  const seen = new Map<string, Seen>()
  let from = FIRST_READER
  for (;;) {
    const scan = store.scan({ gte: from, limit: 1 })
    const [pair] = await scan.next(1)
    await scan.close()
    if (!pair) return seen
    const reader = pair[0].subarray(0, pair[0].indexOf(0)).toString()
    seen.set(reader, parseSeen(pair[1]))
    // Beyond what it keeps, which may be much.
    from = Buffer.from(`${reader}\0t`)
  }
}

/** @throws UNDERSTUDY_STORE_UNREADABLE */
function parseSeen(value: Buffer): Seen {
  try {
    const seen = JSON.parse(value.toString('utf8')) as Seen
    if (Number.isSafeInteger(seen.position)) return seen
  } catch {
    // It is damaged.
  }
  throw new UnderstudyError('UNDERSTUDY_STORE_UNREADABLE', "a reader's place is none")
}

/** Opening clears away what a cut left of a table that was just being written. */
async function stillDamaged(
  { stores }: World,
  path: string,
  suspect: readonly string[],
  opened: Store
): Promise<string[]> {
  if (suspect.length === 0) return []
  try {
    const damaged = await stores.damagedTables(path)
    return damaged.filter((table) => suspect.includes(table))
  } catch (error) {
    await opened.close()
    throw error
  }
}

async function openOrMake({ files, stores }: World, path: string, bufferBytes?: number): Promise<Store> {
  const isNew = (await files.info(path)) === undefined
  try {
    const create = isNew || (await files.info(`${path}/CURRENT`)) === undefined
    const buffer = bufferBytes === undefined ? {} : { writeBufferBytes: bufferBytes }
    const store = await stores.open(path, { create, ...buffer })
    if (!create) return store
    try {
      const value = Buffer.from(JSON.stringify(FORMAT))
      await store.batch([{ type: 'put', key: FORMAT_KEY, value }], { sync: true })
    } catch (error) {
      await store.close().catch(() => {})
      throw error
    }
    return store
  } catch (error) {
    const inUse = error instanceof UnderstudyError && error.code === 'UNDERSTUDY_STORE_IN_USE'
    // What a full disk leaves of a new one would look damaged to the next try.
    if (isNew && !inUse) await files.remove(path).catch(() => {})
    throw error
  }
}
