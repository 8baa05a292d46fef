import type { Log } from '../log.ts'
import { type Ms, sleep, type Timer, type Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Entry, EventEntry, Frame, JournalEvent, NewFrame, Position, Stamp } from './entry.ts'
import { Head } from './head.ts'
import { KeptHead } from './kept-head.ts'
import { BLOCK_BYTES, NewestStore } from './newest-store.ts'
import type { Opened } from './opening.ts'
import { journalPaths } from './paths.ts'
import { Pending } from './pending.ts'
import { Reserve } from './reserve.ts'
import type { Series } from './series.ts'
import type { StreamStates } from './stream-state.ts'
import { Timekeeper } from './timekeeper.ts'
import { type DiskFailure, diskFailure } from './without-room.ts'

/** How often the head is synced, and how often it says that a silent stream is heard. */
const HEAD_SYNC_MS = 10_000
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

/** Group commit: what has come goes to the disk together, and is tried again until it is there. */
export class Writer {
  readonly #world: World
  readonly #options: WriterOptions
  readonly #log: Log
  readonly #series: Series
  readonly #time: Timekeeper
  readonly #pending: Pending
  readonly #head: KeptHead
  readonly #newest: NewestStore
  readonly #reserve: Reserve
  readonly #makeRoom: () => Promise<void>
  readonly #committed: (entries: readonly Entry[]) => void
  /** The store that was begun last when it was noted how the streams stand. */
  #stoodIn: number | undefined
  #toldUs: Us = 0
  #timer: Timer | undefined
  #headTimer: Timer | undefined
  /** The last head that was written by itself. */
  #saidAlive: Promise<unknown> = Promise.resolve()
  #running: Promise<void> | undefined
  /** Whether it is on the disk that this process writes. */
  #begun = false

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
    this.#makeRoom = parts.makeRoom
    this.#committed = committed
    this.#reserve = new Reserve(world.files, journalPaths(options.directory).reserve, options.reserveBytes)
    this.#time = parts.before?.time ?? new Timekeeper(world, { trusted: options.clockTrusted, known: parts.states })
    this.#pending = new Pending(world.clock, this.#time, parts.states, end.nextPosition, () => this.#plan())
    this.#pending.goBack(parts.before?.begun)
    this.#head = new KeptHead(parts.head, this.#pending, end, (state) => parts.series.copyHead(state))
    this.#newest = new NewestStore(world, parts, log, options, { head: this.#head, pending: this.#pending })
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

  /** The streams as of the last entry appended. */
  get states(): StreamStates {
    return this.#pending.states
  }

  /** One above the last committed entry. */
  get nextPosition(): Position {
    return this.#head.nextPosition
  }

  /** Bytes appended and not yet on the disk, about as they are in memory. */
  get pendingBytes(): number {
    return this.#pending.bytes
  }

  /** How long the oldest entry has waited that is not on the disk, in ms. */
  get pendingMs(): Ms {
    return this.#pending.waitedMs
  }

  /** Why nothing can be committed at this moment; `undefined` when it can, as far as is known. */
  get failure(): DiskFailure | undefined {
    return this.#head.failure
  }

  stamp(): Stamp {
    return this.#pending.stamp()
  }

  /** What is put on record from here on was so at that time; `undefined`: goes by the present time again. */
  goBack(past: Stamp | undefined): void {
    this.#pending.goBack(past)
  }

  /** See `Timekeeper`. */
  relayTime(dateMs: Ms, tookMs: Ms): void {
    this.#time.relayTime(dateMs, tookMs)
  }

  /** See `Timekeeper`. */
  get wantsRelayTime(): boolean {
    return this.#time.wantsRelayTime
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
    return this.#pending.append(frame)
  }

  /** @throws UNDERSTUDY_JOURNAL_CLOSED */
  note(event: JournalEvent): EventEntry {
    return this.#pending.note(event)
  }

  #plan(): void {
    if (this.#pending.bytes >= BLOCK_BYTES) this.#commitUnasked()
    else this.#timer ??= this.#world.timers.after(this.#options.commitIntervalMs, () => this.#commitUnasked())
  }

  /** It fails only while the journal closes, and then `close` says so. */
  #commitUnasked(): void {
    this.commit().catch(() => {})
  }

  /** Resolves when everything appended so far is on the disk. */
  async commit(): Promise<void> {
    const upTo = this.#pending.nextPosition
    while (this.#head.nextPosition < upTo) {
      this.#running ??= this.#commitOnce().finally(() => {
        this.#running = undefined
      })
      await this.#running
    }
  }

  /** The same, but where commits fail it resolves, and they are tried again behind it. */
  async tryToCommit(): Promise<void> {
    const upTo = this.#pending.nextPosition
    this.#commitUnasked()
    while (this.#head.nextPosition < upTo && !this.failure) await this.#running
  }

  /** Finishes the newest store and begins another, between two commits; while these fail, they do so. Never rejects. */
  async renewStore(): Promise<void> {
    while (this.#running !== undefined && !this.failure) await this.#running
    if (this.#pending.closed || this.failure) return
    this.#running = this.#newest
      .begin()
      .then(
        () => {},
        (error) => this.#log.error({ err: error }, 'a new store could not be begun')
      )
      .finally(() => {
        this.#running = undefined
      })
    await this.#running
  }

  async #commitOnce(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    const entries = this.#pending.take()
    let chain: Buffer
    try {
      chain = await this.#newest.append(entries)
    } catch (error) {
      this.#pending.putBack(entries)
      await this.#startAfresh(error)
      return
    }
    if (this.failure) this.#log.info({}, 'commits succeed again')
    this.#pending.done(entries)
    this.#head.follow(entries, chain)
    try {
      await this.#head.write()
      // A head that tells of a clean end is believed: none may be left behind what is committed after it.
      if (!this.#begun) await this.#head.sync()
      this.#begun = true
      if (this.#newest.isFull) await this.#newest.begin()
      else await this.#series.reserve(this.#pending.nextPosition, this.states.highestSeq)
    } catch (error) {
      this.#log.error({ err: error }, 'the head or a new store could not be written')
    }
    this.#noteStanding()
    this.#committed(entries)
  }

  #noteStanding(): void {
    const store = this.#series.newest?.number
    if (this.#pending.closed || store === undefined || store === this.#stoodIn) return
    this.#stoodIn = store
    const { standing: streams } = this.states
    if (Object.keys(streams).length > 0) this.note({ event: 'standing', streams })
  }

  async #startAfresh(error: unknown): Promise<void> {
    this.#tellOf(error)
    const retry = this.failure !== undefined
    this.#head.failure = diskFailure(error)
    if (this.#pending.closed && retry) throw error
    if (retry) await sleep(this.#world.timers, RETRY_MS)
    await this.#reserve.release()
    await this.#makeRoom()
    await this.#newest.abandon(error)
  }

  #tellOf(error: unknown): void {
    const nowUs = this.#world.clock.monoUs()
    if (this.failure && nowUs - this.#toldUs < TELL_US) return
    this.#toldUs = nowUs
    this.#log.error({ err: error, bytes: this.pendingBytes }, 'a commit failed; what has come waits in memory')
  }

  async #sayAlive(): Promise<void> {
    try {
      await this.#running
      await this.#head.save()
      if (!this.failure) await this.#reserve.hold()
    } catch (error) {
      this.#log.error({ err: error }, 'the head could not be written')
    }
  }

  /** Commits what is left, says that it ends, and closes. */
  async close(): Promise<void> {
    if (this.#pending.closed) return
    this.note({ event: 'stop' })
    this.#pending.close()
    try {
      await this.commit()
      await this.#head.save()
    } catch (error) {
      // A full disk keeps the head from being written no more than it kept what stands there.
      await this.#head.write().catch(() => {})
      const { frames, bytes } = this.#pending
      if (frames > 0) this.#log.error({ frames, bytes }, 'what has come cannot be written; it is lost')
      throw error
    } finally {
      this.#headTimer?.cancel()
      this.#time.stop()
      await this.#saidAlive
      await this.#head.close()
    }
  }
}
