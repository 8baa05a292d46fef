import type { World } from '../world/world.ts'
import { BlockStore } from './store.ts'
import { copyStore } from './store-copy.ts'
import { isForbidden } from './without-room.ts'

/** Stores kept open after they were used. */
const KEPT = 2

interface Lent {
  readonly opened: Promise<BlockStore>
  users: number
}

/** The stores of a series that are open. The newest stays open, the others while they are lent and for a while after. */
export class OpenStores {
  readonly #world: World
  readonly #path: (number: number) => string
  /** The last used last. */
  readonly #open = new Map<number, Lent>()
  /** Those being closed: only then does LevelDB let them be opened again. */
  readonly #closing = new Map<number, Promise<void>>()
  /** Those that may not be written, each with the copy that is read in its place. */
  readonly #copies = new Map<number, string>()
  /** Those that failed to be written: they are read on, and closed when nobody does. */
  readonly #retired = new Set<number>()
  /** Those that are just being exchanged, and how many work at the files of which. */
  readonly #exchanging = new Map<number, Promise<unknown>>()
  readonly #held = new Map<number, number>()
  #newest: BlockStore | undefined
  #kept = KEPT

  /** @param path where a store lies now */
  constructor(world: World, path: (number: number) => string) {
    this.#world = world
    this.#path = path
  }

  /** The store that is written. */
  get newest(): BlockStore | undefined {
    return this.#newest
  }

  /** Makes a store the newest; the one before becomes one like the others. */
  async keep(newest: BlockStore): Promise<void> {
    this.#newest = newest
    newest.keepProof(this.#world, this.#path(newest.number))
    this.#open.set(newest.number, { opened: Promise.resolve(newest), users: 0 })
    await this.#closeIdle()
  }

  /** Lends a store for as long as `use` takes. */
  async *lend<T>(number: number, use: (store: BlockStore) => AsyncIterable<T>): AsyncGenerator<T> {
    const lent = this.#open.get(number) ?? this.#openAgain(number)
    this.#open.delete(number)
    this.#open.set(number, lent)
    lent.users++
    try {
      yield* use(await lent.opened)
    } finally {
      lent.users--
      await this.#closeIdle()
    }
  }

  /** The newest is not written any more. Whoever reads it reads on. */
  retireNewest(): void {
    if (this.#newest) this.#retired.add(this.#newest.number)
    this.#newest = undefined
  }

  /** Closes a store now, even under its readers, and never lends this one again. */
  async drop(number: number): Promise<void> {
    const dropped = this.#open.get(number)
    this.#open.delete(number)
    this.#retired.delete(number)
    if (this.#newest?.number === number) this.#newest = undefined
    if (dropped) await this.#close(number, dropped)
  }

  /** Runs `work` at the store's files themselves, which are not exchanged meanwhile. */
  async hold<T>(number: number, work: () => Promise<T>): Promise<T> {
    while (this.#exchanging.has(number)) await this.#exchanging.get(number)
    this.#held.set(number, (this.#held.get(number) ?? 0) + 1)
    try {
      return await work()
    } finally {
      this.#held.set(number, this.#held.get(number)! - 1)
    }
  }

  /**
   * Runs `work` while the store is closed; who wants it meanwhile waits. Gives false when it is lent or held, and does
   * nothing.
   * @throws when the store may not be written
   */
  async exchange(number: number, work: () => Promise<void>): Promise<boolean> {
    if (this.#copies.has(number)) throw new Error('it may not be written')
    const before = this.#open.get(number)
    if ((before && before.users > 0) || this.#held.get(number) || this.#exchanging.has(number)) return false
    const closed = before?.opened.then((store) => store.close()).catch(() => {}) ?? this.#closing.get(number)
    const done = (closed ?? Promise.resolve()).then(work)
    const opened = done.catch(() => {}).then(() => this.#openOne(number))
    opened.catch(() => {})
    this.#retired.delete(number)
    this.#open.set(number, { opened, users: 0 })
    const ended = done.catch(() => {}).finally(() => this.#exchanging.delete(number))
    this.#exchanging.set(number, ended)
    await done
    return true
  }

  /** Closes all that is not lent. */
  async close(): Promise<void> {
    this.#newest = undefined
    this.#kept = 0
    await this.#closeIdle()
  }

  async #closeIdle(): Promise<void> {
    const idle = [...this.#open].filter(([number, { users }]) => users === 0 && number !== this.#newest?.number)
    // On a full disk one that was closed could not be opened again: it stays until another has begun.
    const done = this.#newest ? idle.filter(([number]) => this.#retired.has(number)) : []
    const spare = idle.slice(0, Math.max(0, idle.length - this.#kept))
    for (const [number] of new Set([...done, ...spare])) await this.drop(number)
  }

  #openAgain(number: number): Lent {
    const closed = this.#closing.get(number) ?? Promise.resolve()
    const lent: Lent = { opened: closed.then(() => this.#openOne(number)), users: 0 }
    // One that could not be opened is tried anew for the next borrower.
    lent.opened.catch(() => {
      if (this.#open.get(number) === lent) this.#open.delete(number)
    })
    return lent
  }

  /** Opening writes to the folder. */
  async #openOne(number: number): Promise<BlockStore> {
    const path = this.#path(number)
    try {
      return await BlockStore.open(this.#world, path)
    } catch (error) {
      if (!isForbidden(error)) throw error
    }
    const copy = `${path}.look-${this.#world.random.bytes(4).toString('hex')}`
    this.#copies.set(number, copy)
    try {
      await copyStore(this.#world, path, copy)
      return await BlockStore.open(this.#world, copy)
    } catch (error) {
      await this.#removeCopy(number)
      throw error
    }
  }

  async #removeCopy(number: number): Promise<void> {
    const copy = this.#copies.get(number)
    if (copy !== undefined) await this.#world.files.remove(copy)
  }

  async #close(number: number, { opened }: Lent): Promise<void> {
    // One that could not be opened has told its borrower.
    const closing = opened
      .then((store) => store.close())
      .then(() => this.#removeCopy(number))
      .catch(() => {})
    this.#closing.set(number, closing)
    await closing
    if (this.#closing.get(number) === closing) this.#closing.delete(number)
  }
}
