import { UnderstudyError } from '../errors.ts'
import type { Entry, Position } from '../journal/entry.ts'
import type { Journal } from '../journal/journal.ts'
import type { Cursor, Positions } from '../journal/reading.ts'
import type { Removing } from '../journal/retention.ts'
import type { Log } from '../log.ts'
import { InTurn } from '../world/in-turn.ts'
import { type Ms, sleep, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Reader } from './reader.ts'
import { ReaderSets } from './reader-sets.ts'
import type { StateSet } from './state-set.ts'

/** What is read of the journal at a time. */
const READ_BYTES = 1 << 20
/** After so much of it recording has its turn. */
const TURN_BYTES = 1 << 16
/** While nobody asks, the journal is looked at this often. */
const LOOK_MS: Ms = 5000
/** After a failure. */
const RETRY_MS: Ms = 60_000
/** Where hardly any room is left, a removal waits so long for what is read at once. */
const URGENT_MS: Ms = 2000
/** What has come is written this often, or when so much has been read, or has changed. */
const KEEP_US: Us = 600_000_000
const KEEP_READ_BYTES = 16e6
const KEEP_CHANGED_BYTES = 8e6

/** How far a reader has come. */
export interface ReaderStatus {
  readonly reader: string
  readonly version: number
  /** What stands before it in the journal has been taken into account. */
  readonly position: Position
  /** Where what is being computed anew has come to. */
  readonly rebuilding?: Position
  /** Messages that did not count, by reason. */
  readonly skipped: Readonly<Record<string, number>>
}

/** A set of states that is read into. */
interface Reading<State> {
  readonly set: StateSet<State>
  readonly cursor: Cursor
  /** Since it was written. */
  readBytes: number
  keptUs: Us
  /** It could not be written, and is to be tried again then. */
  retryUs: Us
}

/**
 * Runs a reader over the journal. It reads by itself and in small parts, so that recording never waits for it; what it
 * made of that is in memory at first, and is written from time to time with the place it has come to: after a crash it
 * reads again from there. All is computed anew when the reader's version has changed, from the base on (see
 * `ReaderSets`), while the former states go on.
 */
export class RunningReader<State> {
  readonly #world: World
  readonly #journal: Journal
  readonly #reader: Reader<State>
  readonly #log: Log
  #sets: ReaderSets<State> | undefined
  #live: Reading<State> | undefined
  #anew: Reading<State> | undefined
  #stopping = false
  #wake = Promise.withResolvers<void>()
  #waiting: Array<{ readonly position: Position; resolve(): void; reject(error: unknown): void }> = []
  readonly #work = new InTurn()
  #running: Promise<void> = Promise.resolve()

  constructor(world: World, journal: Journal, reader: Reader<State>, log: Log) {
    this.#world = world
    this.#journal = journal
    this.#reader = reader
    this.#log = log
  }

  /** From now on it reads by itself. */
  start(): void {
    this.#running = this.#run()
  }

  /** Writes what has been read. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#wake.resolve()
    await this.#running
    await this.#work.idle()
    await this.#sets?.keep(this.#sets.live).catch((error: unknown) => {
      this.#log.error({ err: error, reader: this.#reader.name }, 'what a reader has read is read again')
    })
  }

  /** `undefined` before it has begun. */
  get status(): ReaderStatus | undefined {
    if (!this.#live) return undefined
    const { set, cursor } = this.#live
    const rebuilding = this.#sets?.rebuilding
    return {
      reader: this.#reader.name,
      version: set.version,
      position: cursor.position,
      ...(rebuilding !== undefined && { rebuilding }),
      skipped: Object.fromEntries(set.skipped)
    }
  }

  /**
   * Resolves when everything before a position has been taken into account.
   * @throws what keeps it from being read; UNDERSTUDY_JOURNAL_CLOSED when it is stopped
   */
  readTo(position: Position): Promise<void> {
    if (this.#live && this.#live.cursor.position >= position) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (this.#stopping) throw new UnderstudyError('UNDERSTUDY_JOURNAL_CLOSED')
      this.#waiting.push({ position, resolve, reject })
      this.#wake.resolve()
    })
  }

  /** What `use` makes of the state of a key, as of what has been read. */
  use<T>(key: string, use: (state: State) => T): Promise<T | undefined> {
    return this.#serially(async ({ live }) => {
      const state = await live.get(key)
      return state === undefined ? undefined : use(state)
    })
  }

  /** What `use` makes of every state, in order of their keys. What comes meanwhile may be in it. */
  async *all<T>(use: (key: string, state: State) => T): AsyncGenerator<T> {
    await this.#serially((sets) => sets.keep(sets.live))
    for (let after: string | undefined; ; ) {
      const { found, last } = await this.#serially(async ({ live }) => {
        const { states, last } = await live.some(after)
        return { found: states.map(([key, state]) => use(key, state)), last }
      })
      yield* found
      if (last === undefined) return
      after = last
    }
  }

  /** Changes states by what is not in the journal; it is part of what all is computed anew from. */
  change(changes: ReadonlyArray<readonly [key: string, change: (state: State) => void]>): Promise<void> {
    return this.#serially((sets) => this.#orAnew(() => sets.change(changes)))
  }

  /** Begins to compute everything anew; until it has come as far, the former states are given. */
  rebuild(): Promise<void> {
    return this.#serially(async (sets) => {
      await sets.begin()
      this.#wake.resolve()
    })
  }

  /**
   * To be called before what stands before a position is removed from the journal: brings the base up to there. Where that
   * cannot be waited for, what is asked for takes it into account at least: the base then goes on from that.
   */
  async beforeRemoval(position: Position, { erased, urgent }: Removing): Promise<void> {
    if (urgent && !erased) return this.#keepWithin(position)
    await this.#advanceBase(position)
    if (erased) await this.#serially((sets) => this.#orAnew(() => sets.forget(position)))
  }

  async #keepWithin(position: Position): Promise<void> {
    const done = new AbortController()
    const kept = this.readTo(position)
      .then(() => this.#serially((sets) => sets.keep(sets.live)))
      .finally(() => done.abort())
    await Promise.race([kept, sleep(this.#world.timers, URGENT_MS, done.signal)])
  }

  async #advanceBase(position: Position): Promise<void> {
    let reading: Reading<State> | undefined
    const advance = async (sets: ReaderSets<State>): Promise<boolean> => {
      if (this.#stopping) throw new UnderstudyError('UNDERSTUDY_JOURNAL_CLOSED')
      if (reading?.set !== sets.base) reading = this.#read(sets.base)
      const { cursor } = reading
      if (sets.isBaseGone) await sets.keep(sets.live)
      return this.#orAnew(() => (sets.isBaseGone ? sets.work() : this.#advance(sets, cursor, position)))
    }
    while (await this.#serially(advance));
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      this.#wake = Promise.withResolvers()
      let restMs = LOOK_MS
      try {
        if (await this.#serially((sets) => this.#step(sets))) restMs = 0
        const position = this.#live?.cursor.position ?? 0
        const done = this.#waiting.filter((waiting) => waiting.position <= position)
        this.#waiting = this.#waiting.filter((waiting) => waiting.position > position)
        for (const { resolve } of done) resolve()
      } catch (error) {
        if (!this.#stopping)
          this.#log.error({ err: error, reader: this.#reader.name }, 'a reader failed; it tries again')
        this.#refuse(error)
        restMs = RETRY_MS
      }
      if (restMs === 0) await this.#turn()
      else await this.#rest(restMs)
    }
    this.#refuse(new UnderstudyError('UNDERSTUDY_JOURNAL_CLOSED'))
  }

  #refuse(error: unknown): void {
    for (const { reject } of this.#waiting) reject(error)
    this.#waiting = []
  }

  /** Until somebody asks, or what somebody waits for comes, at the longest. */
  async #rest(ms: Ms): Promise<void> {
    if (this.#stopping) return
    const { promise, resolve } = this.#wake
    const timer = this.#world.timers.after(ms, resolve)
    // What is waited for comes with a commit.
    if (this.#waiting.length > 0) void this.#live?.cursor.wait().then(resolve)
    await promise
    timer.cancel()
  }

  /** What has come meanwhile is received first. */
  #turn(): Promise<void> {
    return new Promise((resolve) => this.#world.timers.afterInput(resolve))
  }

  /** Does a part of what there is to do; false when there is nothing. */
  async #step(sets: ReaderSets<State>): Promise<boolean> {
    if (this.#canRead(this.#live!.cursor) && (await this.#readOn(sets, this.#live!))) return true
    // It may be known only in memory.
    if (sets.isBaseGone) await sets.keep(sets.live)
    return this.#orAnew(async () => {
      if (await sets.work()) return true
      if (sets.anew) {
        await this.#readAnew(sets, sets.anew)
        return true
      }
      if (this.#canRead(this.#live!.cursor)) return false
      await sets.begin()
      return true
    })
  }

  async #readAnew(sets: ReaderSets<State>, set: StateSet<State>): Promise<void> {
    if (this.#anew?.set !== set) this.#anew = this.#read(set)
    if (!this.#canRead(this.#anew.cursor)) return sets.begin()
    if (await this.#readOn(sets, this.#anew)) return
    await sets.exchange()
    this.#live = this.#anew
    this.#anew = undefined
    this.#log.info({ reader: this.#reader.name, version: this.#reader.version }, 'computed anew')
  }

  #canRead({ position }: Cursor): boolean {
    const { firstPosition, nextPosition } = this.#journal
    return position >= firstPosition && position <= nextPosition
  }

  /** @returns whether there was anything */
  async #readOn(sets: ReaderSets<State>, reading: Reading<State>): Promise<boolean> {
    const { set, cursor } = reading
    const entries = await cursor.next(READ_BYTES)
    await this.#orAnew(() => this.#take(set, entries))
    set.place = cursor.place
    for (const { payload } of entries) reading.readBytes += payload.length
    await this.#keepIfDue(sets, reading)
    set.trim()
    return entries.length > 0
  }

  async #take(set: StateSet<State>, entries: readonly Entry[], before = Number.POSITIVE_INFINITY): Promise<void> {
    let bytes = 0
    for (const entry of entries) {
      if (entry.kind !== 'frame' || entry.position >= before) continue
      await set.take(entry)
      bytes += entry.payload.length
      if (bytes < TURN_BYTES) continue
      bytes = 0
      await this.#turn()
    }
  }

  /** @returns whether there is more to read */
  async #advance(sets: ReaderSets<State>, cursor: Cursor, position: Position): Promise<boolean> {
    const set = sets.base
    if (set.place.position >= position) return false
    const entries = await cursor.next(READ_BYTES)
    await this.#take(set, entries, position)
    const isThere = cursor.position >= position
    set.place = isThere ? { position, skipped: clipped(cursor.place.skipped ?? [], position) } : cursor.place
    if (isThere || set.changedBytes >= KEEP_CHANGED_BYTES) await sets.keep(set)
    set.trim()
    // What was just written is told of when it can be read.
    if (entries.length === 0 && !isThere) await cursor.wait()
    return !isThere
  }

  /** While it cannot be written, what is read stays in memory, up to twice as much. */
  async #keepIfDue(sets: ReaderSets<State>, reading: Reading<State>): Promise<void> {
    const { set, readBytes } = reading
    const nowUs = this.#world.clock.monoUs()
    const isMuch = readBytes >= KEEP_READ_BYTES || set.changedBytes >= KEEP_CHANGED_BYTES
    if (!isMuch && (readBytes === 0 || nowUs < reading.keptUs + KEEP_US)) return
    if (nowUs < reading.retryUs) return
    try {
      await sets.keep(set)
      reading.readBytes = 0
      reading.keptUs = nowUs
    } catch (error) {
      if (set.changedBytes >= 2 * KEEP_CHANGED_BYTES) throw error
      this.#log.warn({ err: error, reader: this.#reader.name }, 'what a reader has read cannot be written now')
      reading.retryUs = nowUs + RETRY_MS * 1000
    }
  }

  #read(set: StateSet<State>): Reading<State> {
    const keptUs = this.#world.clock.monoUs()
    return { set, cursor: this.#journal.cursor(set.place), readBytes: 0, keptUs, retryUs: 0 }
  }

  /** What fails in the middle leaves states that are half changed: they are taken from the disk again. */
  async #orAnew<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#sets = undefined
      this.#live = undefined
      throw error
    }
  }

  #serially<T>(work: (sets: ReaderSets<State>) => Promise<T>): Promise<T> {
    return this.#work.run(async () => work(this.#sets ?? (await this.#open())))
  }

  async #open(): Promise<ReaderSets<State>> {
    const sets = await ReaderSets.open(this.#journal, this.#reader, this.#log)
    this.#live = this.#read(sets.live)
    this.#anew = undefined
    this.#sets = sets
    return sets
  }
}

function clipped(ranges: readonly Positions[], before: Position): Positions[] {
  return ranges.filter(({ from }) => from < before).map(({ from, to }) => ({ from, to: Math.min(to, before) }))
}
