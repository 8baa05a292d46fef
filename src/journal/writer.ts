import { UnderstudyError } from '../errors.ts'
import type { Log } from '../log.ts'
import { type Ms, sleep, type Timer, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Entry, EventEntry, Frame, JournalEvent, Origin, Position, Stamp } from './entry.ts'
import { Head } from './head.ts'
import type { Opened } from './opening.ts'
import { journalPaths } from './paths.ts'
import { Reserve } from './reserve.ts'
import { sealBlocks } from './seal.ts'
import type { Series } from './series.ts'
import type { BlockStore } from './store.ts'
import type { StreamStates } from './stream-state.ts'
import { Timekeeper } from './timekeeper.ts'
import { type DiskFailure, diskFailure } from './without-room.ts'

/** Payload bytes of one block at most, unless a frame alone is larger. */
const BLOCK_BYTES = 256 * 1024
/** What one commit takes at most; the rest follows in the next. */
const COMMIT_BYTES = 8 * 1024 * 1024
/** How often the head is synced, and how often it says that a silent stream is heard. */
const HEAD_SYNC_MS = 10_000
/** What an entry costs in memory besides its payload, for the bound on what waits: empty frames count too. */
export const ENTRY_BYTES = 200
/** After a failed commit. */
const RETRY_MS = 1_000
/** While commits fail, it is said again this often. */
const TELL_US = 60_000_000

export interface WriterOptions {
  readonly directory: string
  /** An appended entry is on the disk at the latest this long after. */
  readonly commitIntervalMs: Ms
  /** A store of this size or age is finished and another begun. */
  readonly storeBytes: number
  readonly storeAgeMs: Ms
  /** Kept free for the moment when the disk is full; 0 for none. */
  readonly reserveBytes: number
  /** The clock is right although the kernel does not say so. */
  readonly clockTrusted: boolean
}

/** What a writer goes on from. */
export interface WriterParts {
  readonly series: Series
  readonly states: StreamStates
  /** Of the newest store. */
  readonly storeBytes: number
  /** Called after a failed commit: the disk may be full. Never rejects. */
  readonly makeRoom: () => Promise<void>
  /** The clock this process has gone by since it began to hear, if it did before its journal was open. */
  readonly before?: { readonly time: Timekeeper; readonly begun: Stamp } | undefined
}

/** A frame without its place, which the journal gives it. */
export interface NewFrame {
  readonly stream: string
  readonly payload: Buffer
  readonly binary: boolean
  readonly origin: Origin
  /** Default: now. */
  readonly stamp?: Stamp
}

/** The one place where entries get their numbers and go to the disk: group commit to the newest store. */
export class Writer {
  /** The streams as of the last entry appended. */
  readonly states: StreamStates
  /** The same as of the last entry committed: what the head says must not run ahead of the stores. */
  readonly #durable: StreamStates
  readonly #world: World
  readonly #options: WriterOptions
  readonly #log: Log
  readonly #series: Series
  readonly #head: Head
  readonly #time: Timekeeper
  readonly #makeRoom: () => Promise<void>
  readonly #committed: (entries: readonly Entry[]) => void
  readonly #reserve: Reserve
  #pending: Entry[] = []
  #pendingBytes = 0
  /** When the oldest of them was appended, monotonic time; what was heard after that is not yet proved. */
  #pendingSinceUs: Us | undefined
  /** The same of those that are being committed. */
  #committingSinceUs: Us | undefined
  /** The store that was begun last when it was noted how the streams stand. */
  #stoodIn: number | undefined
  /** Set from a failed commit until the next that succeeds. */
  #failure: DiskFailure | undefined
  #toldUs: Us = 0
  /** What is put on record now was so then: set until what was heard before the start is on record. */
  #past: Stamp | undefined
  /** Of the next entry appended. */
  #appendPosition: Position
  /** Of the next entry committed. */
  #nextPosition: Position
  #chain: Buffer
  #storeBytes: number
  #timer: Timer | undefined
  #headTimer: Timer | undefined
  /** The last head that was written by itself. */
  #saidAlive: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | undefined
  /** Whether it is on the disk that this process writes. */
  #begun = false
  #closed = false

  private constructor(
    world: World,
    options: WriterOptions,
    log: Log,
    parts: WriterParts & { head: Head },
    end: { nextPosition: Position; chain: Buffer },
    committed: (entries: readonly Entry[]) => void
  ) {
    this.#world = world
    this.#options = options
    this.#log = log
    this.#series = parts.series
    this.#head = parts.head
    this.states = parts.states
    this.#durable = parts.states.copy()
    this.#storeBytes = parts.storeBytes
    this.#nextPosition = end.nextPosition
    this.#appendPosition = end.nextPosition
    this.#chain = end.chain
    this.#makeRoom = parts.makeRoom
    this.#committed = committed
    this.#reserve = new Reserve(world.files, journalPaths(options.directory).reserve, options.reserveBytes)
    this.#time = parts.before?.time ?? new Timekeeper(world, { trusted: options.clockTrusted, known: parts.states })
    this.goBack(parts.before?.begun)
  }

  /**
   * @param end where the series ends; the first entry goes there
   * @param committed called after each commit with what is now on the disk
   */
  static async start(
    world: World,
    options: WriterOptions & { readonly version: string },
    log: Log,
    parts: WriterParts,
    end: Opened['end'],
    committed: (entries: readonly Entry[]) => void
  ): Promise<Writer> {
    const head = await Head.open(world.files, journalPaths(options.directory).head)
    const writer = new Writer(world, options, log, { ...parts, head }, end, committed)
    if (!parts.before) await writer.#time.start()
    await writer.#reserve.hold()
    for (const gap of parts.states.unfinished(world.clock.boot)) writer.note(gap)
    writer.note({ event: 'start', version: options.version })
    // A full disk keeps nobody from hearing.
    await writer.tryToCommit()
    writer.#headTimer = world.timers.every(HEAD_SYNC_MS, () => {
      // One that takes longer than until the next is waited for too.
      writer.#saidAlive = Promise.all([writer.#saidAlive, writer.#sayAlive()])
    })
    return writer
  }

  /** One above the last committed entry. */
  get nextPosition(): Position {
    return this.#nextPosition
  }

  /** Bytes appended and not yet on the disk, about as they are in memory. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** How long the oldest entry has waited that is not on the disk, in ms. */
  get pendingMs(): Ms {
    const sinceUs = this.#committingSinceUs ?? this.#pendingSinceUs
    return sinceUs === undefined ? 0 : (this.#world.clock.monoUs() - sinceUs) / 1000
  }

  /** Why nothing can be committed at this moment; `undefined` when it can, as far as is known. */
  get failure(): DiskFailure | undefined {
    return this.#failure
  }

  stamp(): Stamp {
    return this.#past ?? this.#time.stamp()
  }

  /** What is put on record from here on was so at that time; `undefined`: goes by the present time again. */
  goBack(past: Stamp | undefined): void {
    this.#past = past
    if (past) return
    this.#time.changed = (steppedUs) => {
      if (!this.#closed) this.note({ event: 'clock', steppedUs })
    }
  }

  relayTime(dateMs: Ms): void {
    this.#time.relayTime(dateMs)
  }

  /** See `Timekeeper.unknownSinceMs`. */
  get unknownSinceMs(): Ms | undefined {
    return this.#time.unknownSinceMs
  }

  /** A stream was proved to be heard; on record with the next head. */
  proof(stream: string): void {
    this.states.of(stream).proofUs = this.stamp().monoUs
  }

  /** @throws UNDERSTUDY_JOURNAL_CLOSED */
  append(frame: NewFrame): Frame {
    const seq = this.states.of(frame.stream).seq + 1
    const { stamp = this.stamp(), ...rest } = frame
    return this.#add({ kind: 'frame', position: this.#appendPosition, seq, ...rest, ...stamp })
  }

  /** @throws UNDERSTUDY_JOURNAL_CLOSED */
  note(event: JournalEvent): EventEntry {
    const payload = Buffer.from(JSON.stringify(event))
    // The stamp first: taking it may itself note a step of the clock, which then comes before.
    const stamp = this.stamp()
    return this.#add({ kind: 'event', position: this.#appendPosition, event, payload, ...stamp })
  }

  #add<E extends Entry>(entry: E): E {
    if (this.#closed) throw new UnderstudyError('UNDERSTUDY_JOURNAL_CLOSED')
    this.#appendPosition++
    this.#pending.push(entry)
    this.#pendingSinceUs ??= this.#world.clock.monoUs()
    this.#pendingBytes += ENTRY_BYTES + entry.payload.length
    this.states.follow(entry)
    if (this.#pendingBytes >= BLOCK_BYTES) this.#commitUnasked()
    else this.#timer ??= this.#world.timers.after(this.#options.commitIntervalMs, () => this.#commitUnasked())
    return entry
  }

  /** It fails only while the journal closes, and then `close` says so. */
  #commitUnasked(): void {
    this.commit().catch(() => {})
  }

  /** Resolves when everything appended so far is on the disk. */
  async commit(): Promise<void> {
    const upTo = this.#appendPosition
    while (this.#nextPosition < upTo) {
      this.#running ??= this.#commitOnce().finally(() => {
        this.#running = undefined
      })
      await this.#running
    }
  }

  /** Finishes the newest store and begins another, between two commits; while these fail, they do so. Never rejects. */
  async renewStore(): Promise<void> {
    while (this.#running !== undefined && !this.#failure) await this.#running
    if (this.#closed || this.#failure) return
    this.#running = this.#beginStore()
      .then(
        () => {},
        (error) => this.#log.error({ err: error }, 'a new store could not be begun')
      )
      .finally(() => {
        this.#running = undefined
      })
    await this.#running
  }

  /** The same, but where commits fail it resolves, and they are tried again behind it. */
  async tryToCommit(): Promise<void> {
    const upTo = this.#appendPosition
    this.#commitUnasked()
    while (this.#nextPosition < upTo && !this.#failure) await this.#running
  }

  async #commitOnce(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#committingSinceUs = this.#pendingSinceUs
    const entries = this.#take()
    try {
      await this.#store(entries)
    } catch (error) {
      this.#pending = entries.concat(this.#pending)
      this.#pendingSinceUs = this.#committingSinceUs
      await this.#startAfresh(error)
      return
    }
    this.#committingSinceUs = undefined
    this.#nextPosition = entries.at(-1)!.position + 1
    for (const entry of entries) {
      this.#pendingBytes -= ENTRY_BYTES + entry.payload.length
      this.#durable.follow(entry)
    }
    if (this.#failure) this.#log.info({}, 'commits succeed again')
    this.#failure = undefined
    try {
      await this.#writeHead()
      // A head that tells of a clean end is believed: none may be left behind what is committed after it.
      if (!this.#begun) await this.#head.sync()
      this.#begun = true
      if (this.#isFull()) await this.#beginStore()
      else await this.#series.reserve(this.#appendPosition, this.states.highestSeq)
    } catch (error) {
      this.#log.error({ err: error }, 'the head or a new store could not be written')
    }
    this.#noteStanding()
    this.#committed(entries)
  }

  #noteStanding(): void {
    const store = this.#series.newest?.number
    if (this.#closed || store === undefined || store === this.#stoodIn) return
    this.#stoodIn = store
    const { standing: streams } = this.states
    if (Object.keys(streams).length > 0) this.note({ event: 'standing', streams })
  }

  async #store(entries: readonly Entry[]): Promise<void> {
    const store = this.#series.newest ?? (await this.#beginStore())
    const blocks = [
      ...sealBlocks(entries, this.#chain, {
        blockBytes: BLOCK_BYTES,
        dictionaries: store.dictionaries,
        dictionary: store.dictionary,
        randomBytes: (count) => this.#world.random.bytes(count)
      })
    ]
    this.#storeBytes += await store.append(blocks)
    this.#chain = blocks.at(-1)!.chainAfter
  }

  /**
   * After a failed write nothing more goes to the same store: LevelDB fails each later write, and what a failed sync
   * left behind nobody knows. A new store goes on at the last position that is certain; what the old one may hold from
   * there on is not read.
   */
  async #startAfresh(error: unknown): Promise<void> {
    this.#tellOf(error)
    const retry = this.#failure !== undefined
    this.#failure = diskFailure(error)
    if (this.#closed && retry) throw error
    if (retry) await sleep(this.#world.timers, RETRY_MS)
    await this.#reserve.release()
    await this.#makeRoom()
    await this.#headBeforeStore()
    try {
      await this.#series.abandonNewest(this.#nextPosition, this.#chain, this.states.highestSeq, error)
      this.#storeBytes = 0
    } catch (cause) {
      this.#log.debug({ err: cause }, 'no new store yet')
    }
  }

  #tellOf(error: unknown): void {
    const nowUs = this.#world.clock.monoUs()
    if (this.#failure && nowUs - this.#toldUs < TELL_US) return
    this.#toldUs = nowUs
    this.#log.error({ err: error, bytes: this.#pendingBytes }, 'a commit failed; what has come waits in memory')
  }

  #take(): Entry[] {
    let bytes = 0
    const count = this.#pending.findIndex(({ payload }, index) => {
      bytes += payload.length
      return bytes > COMMIT_BYTES && index > 0
    })
    if (count === -1) this.#pendingSinceUs = undefined
    return this.#pending.splice(0, count === -1 ? this.#pending.length : count)
  }

  #isFull(): boolean {
    const begunUs = this.#series.stores.at(-1)?.begunUs ?? 0
    const ageUs = this.#world.clock.wallUs() - begunUs
    // An age below zero is a clock that was set back: it says nothing.
    return this.#storeBytes >= this.#options.storeBytes || ageUs >= this.#options.storeAgeMs * 1000
  }

  async #beginStore(): Promise<BlockStore> {
    await this.#headBeforeStore()
    const store = await this.#series.begin(this.#nextPosition, this.#chain, this.states.highestSeq)
    this.#storeBytes = 0
    return store
  }

  /**
   * The head is on the disk before a store is begun, so that it knows of all that is in those before: their disk may not
   * be there at the next start.
   */
  async #headBeforeStore(): Promise<void> {
    try {
      await this.#writeHead()
      await this.#head.sync()
    } catch (error) {
      this.#log.debug({ err: error }, 'the head could not be written before a store')
    }
  }

  async #sayAlive(): Promise<void> {
    try {
      await this.#running
      await this.#writeHead()
      await this.#head.sync()
      if (!this.#failure) await this.#reserve.hold()
    } catch (error) {
      this.#log.error({ err: error }, 'the head could not be written')
    }
  }

  async #writeHead(): Promise<void> {
    const { monoUs, boot } = this.stamp()
    // A frame that waits may yet be lost: nothing is said to be heard beyond it.
    const provedUs = this.#committingSinceUs ?? this.#pendingSinceUs ?? monoUs
    for (const [stream, durable] of this.#durable.streams) {
      const proofUs = Math.min(this.states.of(stream).proofUs, provedUs)
      if (durable.heard) durable.proofUs = Math.max(durable.proofUs, proofUs)
    }
    await this.#head.write({
      nextPosition: this.#nextPosition,
      chain: this.#chain.toString('hex'),
      boot,
      aliveUs: provedUs,
      running: this.#durable.running,
      firstSeq: this.#durable.firstSeq,
      streams: Object.fromEntries(this.#durable.streams),
      clockKnown: this.#durable.clockKnown,
      certainUs: this.#durable.certainUs,
      ...(this.#failure && { failing: { cause: this.#failure, aliveUs: monoUs } })
    })
  }

  /** Commits what is left, says that it ends, and closes. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.note({ event: 'stop' })
    this.#closed = true
    try {
      await this.commit()
      await this.#writeHead()
    } catch (error) {
      // A full disk keeps the head from being written no more than it kept what stands there.
      await this.#writeHead().catch(() => {})
      const frames = this.#pending.filter(({ kind }) => kind === 'frame').length
      if (frames > 0)
        this.#log.error({ frames, bytes: this.#pendingBytes }, 'what has come cannot be written; it is lost')
      throw error
    } finally {
      this.#headTimer?.cancel()
      this.#time.stop()
      await this.#saidAlive
      await this.#head.close()
    }
  }
}
