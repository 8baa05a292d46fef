import type { StudentGraphs } from '../analytics/student-graphs.ts'
import { UnderstudyError } from '../errors.ts'
import { EarlyHearing } from '../journal/early-hearing.ts'
import type { Stamp } from '../journal/entry.ts'
import type { Hearing } from '../journal/hearing.ts'
import type { Journal } from '../journal/journal.ts'
import { type DiskFailure, diskFailure, isForbidden } from '../journal/without-room.ts'
import type { Log } from '../log.ts'
import { type Ms, sleep } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { connectRunning } from './local/open.ts'
import type { Recording } from './local/status.ts'
import { ServedJournal, type ServedOptions } from './served-journal.ts'

/** While it cannot be opened: how often it is tried, and how often that is told. */
const RETRY_MS: Ms = 1000
const TELL_US = 60_000_000

export interface AwaitedOptions extends ServedOptions {
  /** Where the disk has no room to open the journal, or fails, wait until it can be opened. */
  readonly waitsForDisk?: boolean
  /** Called when the journal is open and before the first frame. */
  readonly opened?: (journal: Journal) => void
}

/** A recorder's journal, which may have to wait for its disk: until then what is heard is kept in memory. */
export class AwaitedJournal {
  /** Resolves when it is open; rejects when it will not be. */
  readonly opened: Promise<void>
  private served: ServedJournal | undefined
  private early: EarlyHearing | undefined
  /** Why it could not be opened the last time. */
  private unopened: UnderstudyError | undefined
  private readonly stopping = new AbortController()
  private readonly world: World
  private readonly options: AwaitedOptions
  private readonly open: (early?: EarlyHearing) => Promise<ServedJournal>
  private readonly log: Log

  private constructor(
    world: World,
    options: AwaitedOptions,
    log: Log,
    open: AwaitedJournal['open'],
    first: ServedJournal | { readonly early: EarlyHearing; readonly unopened: UnderstudyError }
  ) {
    this.world = world
    this.options = options
    this.log = log
    this.open = open
    if (first instanceof ServedJournal) {
      this.served = first
      this.opened = Promise.resolve()
      options.opened?.(first.journal)
      first.start()
    } else {
      this.early = first.early
      this.unopened = first.unopened
      this.opened = this.wait(first.early)
      // Who stops it is told again.
      this.opened.catch(() => {})
    }
  }

  /**
   * @param recording what is being recorded into it
   * @throws UNDERSTUDY_ALREADY_RUNNING, UNDERSTUDY_NO_ROOM, UNDERSTUDY_DATA_FAILED
   */
  static async open(
    world: World,
    options: AwaitedOptions,
    recording: () => Recording,
    log: Log
  ): Promise<AwaitedJournal> {
    const open = (early?: EarlyHearing): Promise<ServedJournal> =>
      ServedJournal.open(world, { ...options, records: true }, recording, log, early)
    try {
      return new AwaitedJournal(world, options, log, open, await open())
    } catch (error) {
      if (!options.waitsForDisk || !isAwaited(error)) throw error
      const { clock, data } = options.config
      const early = await EarlyHearing.start(world, data.directory, clock.trust)
      return new AwaitedJournal(world, options, log, open, { early, unopened: error })
    }
  }

  /** @throws UNDERSTUDY_NO_ROOM, UNDERSTUDY_DATA_FAILED while it is not open */
  get journal(): Journal {
    if (!this.served) throw this.unopened!
    return this.served.journal
  }

  /** @throws UNDERSTUDY_NO_ROOM, UNDERSTUDY_DATA_FAILED while it is not open */
  get graphs(): StudentGraphs {
    if (!this.served) throw this.unopened!
    return this.served.graphs
  }

  /** The journal with what works on it; `undefined` while it is not open. */
  get running(): ServedJournal | undefined {
    return this.served
  }

  /** Now, by the clock that entries go by. */
  stamp(): Stamp {
    return this.served?.journal.stamp() ?? this.early!.time.stamp()
  }

  /** Where what the relay client tells goes at this moment. */
  get hearing(): Hearing | EarlyHearing {
    return this.served?.journal.hearing ?? this.early!
  }

  /** What came and is not on the disk, about as it is in memory. */
  get pendingBytes(): number {
    return this.served?.journal.pendingBytes ?? this.early?.pendingBytes ?? 0
  }

  /** Why it cannot be written at this moment; `undefined` when it can, as far as is known. */
  get failure(): DiskFailure | undefined {
    if (this.served) return this.served.journal.failure
    return this.unopened && diskFailure(this.unopened)
  }

  /** How long the oldest of it has waited; nothing waits for a commit as long as there can be none. */
  get pendingMs(): Ms {
    return this.served?.journal.pendingMs ?? 0
  }

  /** Commits what has come. The journal itself tells of a failure, and tries again. */
  commit(): void {
    this.served?.journal.commit().catch(() => {})
  }

  /**
   * Commits what is left and closes.
   * @throws UNDERSTUDY_NO_ROOM, UNDERSTUDY_DATA_FAILED where it could not be opened to the end
   */
  async close(): Promise<void> {
    this.stopping.abort()
    await this.opened
    await this.served?.close()
  }

  private async wait(early: EarlyHearing): Promise<void> {
    const { clock, timers } = this.world
    for (let toldUs = Number.NEGATIVE_INFINITY; ; ) {
      if (clock.monoUs() - toldUs >= TELL_US) {
        toldUs = clock.monoUs()
        const { code, message } = this.unopened!
        this.log.error({ code, frames: early.frames, bytes: early.pendingBytes }, `nothing is recorded: ${message}`)
      }
      await sleep(timers, RETRY_MS, this.stopping.signal)
      if (await this.tryToOpen(early)) return
      if (!this.stopping.signal.aborted) continue
      this.log.error({ frames: early.frames, bytes: early.pendingBytes }, 'what has come cannot be written; it is lost')
      early.time.stop()
      throw this.unopened!
    }
  }

  private async tryToOpen(early: EarlyHearing): Promise<boolean> {
    const { directory } = this.options.config.data
    try {
      // One that runs may itself have had to let go of the lock, for want of room.
      if (await connectRunning(this.world, directory))
        throw new UnderstudyError('UNDERSTUDY_ALREADY_RUNNING', directory)
      this.served = await this.open(early)
    } catch (error) {
      if (!isAwaited(error)) throw error
      this.unopened = error
      return false
    }
    this.options.opened?.(this.served.journal)
    this.served.journal.takeOver(early)
    this.served.start()
    this.early = undefined
    this.log.info({ frames: early.frames }, 'the journal is open: what was heard meanwhile is put on record')
    return true
  }
}

/** What may not be read or written is not waited for: only a person changes that. */
function isAwaited(error: unknown): error is UnderstudyError {
  if (!(error instanceof UnderstudyError)) return false
  return error.code === 'UNDERSTUDY_NO_ROOM' || (error.code === 'UNDERSTUDY_DATA_FAILED' && !isForbidden(error))
}
