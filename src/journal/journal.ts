import { type ErrorCode, UnderstudyError } from '../errors.ts'
import type { Log } from '../log.ts'
import { InTurn } from '../world/in-turn.ts'
import type { Ms, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { EarlyHearing } from './early-hearing.ts'
import type { Frame, JournalEvent, NewFrame, Position, Stamp } from './entry.ts'
import { readHead } from './head.ts'
import { Hearing } from './hearing.ts'
import { clearSnapshots } from './leftovers.ts'
import { Merging } from './merging.ts'
import { openSeries } from './opening.ts'
import { journalPaths } from './paths.ts'
import { ReaderStates } from './reader-states.ts'
import type { AwayStore } from './reading.ts'
import { type RepairReport, Repairs } from './repairs.ts'
import { type BeforeRemoval, type Removables, Retention, type RetentionLimits } from './retention.ts'
import type { Series } from './series.ts'
import { SeriesReader } from './series-reader.ts'
import type { DiskFailure } from './without-room.ts'
import { Writer, type WriterOptions } from './writer.ts'

/** The log of the readers' store is not longer than this, nor than this part of a store: as much room its opening takes. */
const READERS_LOG = { mostBytes: 4 << 20, partOfStore: 1 / 16 }

/** Told after each commit: the last number of each stream that is now on the disk with all before it. */
export type CommitListener = (lastSeqs: ReadonlyMap<string, number>) => void

/** Where a journal ends, and word of its commits. */
class Commits {
  nextPosition: number
  closed = false
  readonly listeners = new Set<CommitListener>()
  #next = Promise.withResolvers<void>()

  constructor(nextPosition: number) {
    this.nextPosition = nextPosition
  }

  nextCommit(): Promise<void> {
    return this.#next.promise
  }

  announce(): void {
    const { resolve } = this.#next
    this.#next = Promise.withResolvers()
    resolve()
  }
}

export type JournalOptions = WriterOptions & {
  /** Goes on record with each start. */
  readonly version: string
  /** Where a data disk is mounted that new stores go to, while it is there. */
  readonly disk?: string | undefined
  /** Default: everything is kept. */
  readonly retention?: RetentionLimits
  /** Whether finished stores are merged meanwhile; a command is over before that is. Default true. */
  readonly merges?: boolean
  /** Whether a data folder without a journal goes on with that of the data disk. Default true. */
  readonly adopts?: boolean
}

/** Where a journal's data disk stands. */
export interface DiskReport {
  /** Where it is, or should be, mounted; absent where none is configured. */
  readonly mount?: string
  /** Whether what comes goes to it, and not to the data folder. */
  readonly used: boolean
  /** Why not, or what else is to be known of it. */
  readonly code?: ErrorCode
  readonly detail?: string | undefined
  readonly away: readonly AwayStore[]
}

/** A store that was found damaged and set aside. */
export interface DamagedStore {
  readonly store: number
  /** The day, in ms since 1970. */
  readonly foundMs?: Ms
  /** Whether what could be read of it stands in its place again. */
  readonly salvaged: boolean
  /** Records that are missing of it. */
  readonly lost: number
}

interface JournalParts {
  readonly series: Series
  readonly writer: Writer
  readonly commits: Commits
  readonly readers: ReaderStates
  readonly retention: Retention
  readonly merging: Merging
}

/** The journal of a data folder, open for writing and reading. One process may have it open. */
export class Journal extends SeriesReader {
  /** What the relay client tells goes in here. */
  readonly hearing: Hearing
  /** Durable positions and states of readers. */
  readonly readers: ReaderStates
  readonly #series: Series
  readonly #writer: Writer
  readonly #commits: Commits
  readonly #repairs: Repairs
  readonly #retention: Retention
  readonly #merging: Merging
  /** For the data disk. */
  readonly #looking = new InTurn()
  #closing = false

  private constructor(
    world: World,
    directory: string,
    { series, writer, commits, readers, retention, merging }: JournalParts,
    log: Log
  ) {
    super(series, {
      extent: {
        get firstPosition() {
          return series.firstPosition
        },
        get nextPosition() {
          return commits.nextPosition
        },
        get closed() {
          return commits.closed
        },
        nextCommit: () => commits.nextCommit()
      },
      states: writer.states,
      head: () => readHead(world.files, journalPaths(directory).head),
      now: () => ({ boot: world.clock.boot, wallUs: writer.stamp().wallUs, live: true })
    })
    this.#series = series
    this.#writer = writer
    this.#commits = commits
    this.hearing = new Hearing(writer)
    this.readers = readers
    this.#repairs = new Repairs(world, series, (event) => writer.note(event), log)
    this.#repairs.start()
    this.#retention = retention
    this.#merging = merging
    retention.start(writer, this.#repairs)
    merging.request()
    series.onBegun = () => {
      const { mount, target, problem } = series.disk
      if (problem) log.error({ code: problem.code, used: target !== undefined }, problem.message)
      else if (mount !== undefined) log.debug({ mount }, 'a store is begun on the data disk')
      void retention.run()
      merging.request()
    }
  }

  /**
   * Opens the journal in a folder, or makes one.
   * @param early what this process heard before; to be handed over by `takeOver`
   * @throws UNDERSTUDY_ALREADY_RUNNING when another process has it open
   */
  static async open(world: World, options: JournalOptions, log: Log, early?: EarlyHearing): Promise<Journal> {
    await world.files.makeDirectory(options.directory, 0o750)
    // First of all: this store is also the lock on the folder.
    const bufferBytes = Math.min(READERS_LOG.mostBytes, options.storeBytes * READERS_LOG.partOfStore)
    const readers = await ReaderStates.open(world, options.directory, log, bufferBytes)
    let series: Series | undefined
    try {
      await clearSnapshots(world, options.directory)
      const opened = await openSeries(world, options.directory, log, options.disk, options.adopts)
      const { states, end, newestBytes } = opened
      series = opened.series
      const limits = options.retention ?? { minFreeBytes: 0 }
      const retention = new Retention(world, series, log, limits, { directory: options.directory, readers })
      const merging = new Merging(world, series, log, limits.minFreeBytes)
      if (options.merges === false) await merging.stop()
      await retention.run()
      const commits = new Commits(end.nextPosition)
      const writer = await Writer.start(
        world,
        options,
        log,
        { series, states, storeBytes: newestBytes, makeRoom: () => retention.run(), before: early },
        end,
        (entries) => {
          const lastSeqs = new Map<string, number>()
          for (const entry of entries) if (entry.kind === 'frame') lastSeqs.set(entry.stream, entry.seq)
          commits.nextPosition = entries.at(-1)!.position + 1
          for (const listener of commits.listeners) listener(lastSeqs)
          commits.announce()
        }
      )
      return new Journal(world, options.directory, { series, writer, commits, readers, retention, merging }, log)
    } catch (error) {
      await series?.close()
      await readers.close()
      throw error
    }
  }

  /** Puts on record what was heard before it was open, as of its time. */
  takeOver(early: EarlyHearing): void {
    early.handOver(this.hearing, this.#writer)
  }

  /** Bytes of payload appended and not yet on the disk. */
  get pendingBytes(): number {
    return this.#writer.pendingBytes
  }

  /** Why nothing can be committed at this moment; `undefined` when it can, as far as is known. */
  get failure(): DiskFailure | undefined {
    return this.#writer.failure
  }

  /** How long the oldest entry has waited that is not on the disk, in ms. */
  get pendingMs(): Ms {
    return this.#writer.pendingMs
  }

  /**
   * Appends a frame, to be on the disk with the next commit.
   * @throws UNDERSTUDY_JOURNAL_CLOSED
   */
  append(frame: NewFrame): Frame {
    return this.#writer.append(frame)
  }

  /** Puts on record what was made of the journal. @throws UNDERSTUDY_JOURNAL_CLOSED */
  note(
    event: Extract<JournalEvent, { event: 'capture' | 'sealed' | 'confirmed' | 'freed' | 'imported' | 'primary' }>
  ): void {
    this.#writer.note(event)
  }

  /** Now, by the same clock as entries. */
  stamp(): Stamp {
    return this.#writer.stamp()
  }

  /** Resolves when everything appended so far is on the disk. */
  commit(): Promise<void> {
    return this.#writer.commit()
  }

  /** Up to this moment: what has come is committed first, unless that fails. */
  override async coverage(query: Parameters<SeriesReader['coverage']>[0] = {}): ReturnType<SeriesReader['coverage']> {
    await this.#writer.tryToCommit()
    return super.coverage(query)
  }

  /** Gives what takes the listener away again. */
  onCommit(listener: CommitListener): () => void {
    this.#commits.listeners.add(listener)
    return () => this.#commits.listeners.delete(listener)
  }

  /** Resolves when every damaged store that is known of has been salvaged, as far as it can be. */
  repaired(): Promise<void> {
    return this.#repairs.idle()
  }

  /** Looks for damage in a finished store, or all of them, and salvages what is readable of it. */
  repair(store?: number, progress?: (done: number, total: number) => void): Promise<RepairReport> {
    return this.#repairs.repair(store, progress)
  }

  /** Resolves when the finished stores are merged, as far as they can be. */
  merged(): Promise<void> {
    return this.#merging.idle()
  }

  /** The time, where it is certain. */
  get certainUs(): Us | undefined {
    const { wallUs, source } = this.#writer.stamp()
    return source === 'none' ? undefined : wallUs
  }

  /** Everything before this position is known to be elsewhere too: it may go before the rest when room is needed. */
  confirm(position: Position): Promise<void> {
    return this.#series.confirm(Math.min(position, this.nextPosition))
  }

  /** What was found damaged, and is not removed. */
  get damaged(): DamagedStore[] {
    return this.#series.stores.flatMap(({ number: store, damaged, removed }) => {
      if (!damaged || removed) return []
      const { aside, salvaged, holes } = damaged
      const foundMs = Date.parse(aside.slice(0, 10))
      const lost = holes.reduce((sum, { fromPosition, toPosition }) => sum + toPosition - fromPosition, 0)
      return [{ store, ...(!Number.isNaN(foundMs) && { foundMs }), salvaged, lost }]
    })
  }

  /** What is before this position came from a data folder that is gone, with the data disk; 0: nothing did. */
  get adoptedBelow(): Position {
    return this.#series.adopted ?? 0
  }

  /** The number of a stream's last frame, 0 where there was none. */
  lastSeq(stream: string): number {
    return this.#writer.states.streams.get(stream)?.seq ?? 0
  }

  /** @param removables gives what else may be removed to make room */
  offerRemovable(removables: Removables): void {
    this.#retention.removable = removables
  }

  /** @param prepare is called before a store is removed, which waits for it */
  beforeRemoval(prepare: BeforeRemoval): void {
    this.#retention.beforeRemoval(prepare)
  }

  /** Stores that should have been erased by now, and lie on a data disk that is not there. */
  get unerased(): ReadonlyArray<{ readonly store: number; readonly begunUs: Us }> {
    return this.#retention.unerased.map(({ number, begunUs }) => ({ store: number, begunUs }))
  }

  /** Where what comes goes to, and what lies on disks that are not there. */
  get disk(): DiskReport {
    const { mount, target, problem } = this.#series.disk
    const { code, detail } = problem ?? {}
    return {
      ...(mount !== undefined && { mount }),
      used: target !== undefined && !this.#series.isMisplaced,
      ...(code && { code, detail }),
      away: this.away
    }
  }

  /**
   * Looks for the data disk. What is on it again is read through, and what comes from now on goes to it.
   * @returns how it is now
   */
  lookForDisk(): Promise<DiskReport> {
    return this.#looking.run(() => this.#lookForDisk())
  }

  async #lookForDisk(): Promise<DiskReport> {
    if (this.#closing) throw new UnderstudyError('UNDERSTUDY_JOURNAL_CLOSED')
    const back = await this.#series.lookForDisks()
    this.#repairs.takeUp(back)
    await this.#repairs.idle()
    if (this.#series.isMisplaced) await this.#writer.renewStore()
    this.#merging.request(back)
    return this.disk
  }

  /** Commits what is left and closes. Cursors that wait are woken. */
  async close(): Promise<void> {
    this.#series.onBegun = () => {}
    this.#closing = true
    await Promise.all([this.#looking.idle(), this.#repairs.stop(), this.#retention.stop(), this.#merging.stop()])
    this.hearing.stopped()
    try {
      await this.#writer.close()
      await this.#retention.settle()
    } finally {
      this.#commits.closed = true
      this.#commits.announce()
      await this.#series.close()
      await this.readers.close()
    }
  }
}
