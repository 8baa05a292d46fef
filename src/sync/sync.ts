import { createHash } from 'node:crypto'
import { Schedule } from '../captures/schedule.ts'
import type { Config } from '../config/config.ts'
import { type ErrorCode, UnderstudyError } from '../errors.ts'
import type { Removable } from '../journal/retention.ts'
import { isWithoutRoom } from '../journal/without-room.ts'
import type { Log } from '../log.ts'
import type { Ms, Timer } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { HandedFolders, nameOf } from './handed.ts'
import { Handover, type PassOptions, type Report, type Surroundings } from './handover.ts'
import { type Announced, Keeping } from './keeping.ts'
import { type SyncPaths, syncPaths } from './paths.ts'
import { type Failure, SyncState } from './state.ts'

const TICK_MS = 60_000
const KEEPING_MS = 3_600_000
const DAY_MS = 86_400_000

/** How it stands with the primary. Folders by name, like `daily/2026-03-29`. */
export interface SyncStatus {
  readonly confirmed: number
  /** Not sent yet, or not all of it. */
  readonly unsent: readonly string[]
  /** Sent, and not confirmed yet. */
  readonly waiting: readonly string[]
  /** When the oldest of these was sealed. */
  readonly behindSinceMs?: Ms
  /** What the primary has of them is not what was sent, or nothing. */
  readonly differing: readonly string[]
  /** What `erase_after` takes within 30 days. */
  readonly erasing: readonly Announced[]
  readonly failure: Failure | undefined
  /** When a pass last went well. */
  readonly doneMs: Ms | undefined
  readonly problems: ReadonlyArray<{ readonly code: ErrorCode; readonly detail: string }>
}

/** What is kept on the disk, once it was read. */
interface Kept {
  readonly folders: HandedFolders
  readonly state: SyncState
  readonly handover: Handover
  readonly keeping: Keeping
}

/**
 * Keeps handing sealed folders to the primary: on schedule, again after a failure, and never twice at a time. Only who
 * holds the data folder's journal may have one. It touches the disk only when it has something to do.
 */
export class Sync {
  /** Called at the end of each pass, however it went. */
  onPass: () => void = () => {}
  readonly #world: World
  readonly #config: Config
  readonly #paths: SyncPaths
  readonly #around: Surroundings
  readonly #log: Log
  readonly #schedule: Schedule
  readonly #stopping = new AbortController()
  #kept: Kept | undefined
  #timer: Timer | undefined
  #running: Promise<Report> | undefined
  #nextKeepingMs: Ms = 0

  constructor(world: World, config: Config, around: Surroundings, log: Log) {
    this.#world = world
    this.#config = config
    this.#paths = syncPaths(config)
    // Only when its windows begin matters.
    this.#schedule = new Schedule(config.sync.schedule, TICK_MS, config.sync.timeZone)
    this.#around = around
    this.#log = log
  }

  /** From now on it runs by itself. */
  start(): void {
    this.#timer = this.#world.timers.every(TICK_MS, () => void this.#tick())
  }

  /** Ends a transfer that is going on; what has come of it stays with the primary. */
  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#stopping.abort()
    await this.#running?.catch(() => {})
  }

  /**
   * One pass now, whatever failed before. Joins one that is going on.
   * @throws what kept it from the primary, as an UNDERSTUDY_SYNC_…
   */
  run(options: Omit<PassOptions, 'signal'> & { readonly signal?: AbortSignal } = {}): Promise<Report> {
    this.#running ??= this.#pass(options).finally(() => {
      this.#running = undefined
      this.onPass()
    })
    return this.#running
  }

  /** The oldest sealed folder that the primary has, or that it has not, for where the disk is full. */
  async removable(confirmed: boolean): Promise<Removable | undefined> {
    return (await this.#read()).keeping.removable(confirmed)
  }

  async status(): Promise<SyncStatus> {
    const { folders: handed, state, keeping } = await this.#read()
    const all = handed.all()
    const folders = all.filter(({ removed }) => removed === undefined)
    const differing = all.filter(({ fault }) => fault !== undefined)
    const waiting = folders.filter(({ sentMs, confirmedMs }) => sentMs !== undefined && confirmedMs === undefined)
    const { failure, current } = state
    const unsent = folders.filter(({ sentMs }) => sentMs === undefined)
    const behindUs = Math.min(...[...unsent, ...waiting].map(({ sealedUs }) => sealedUs))
    const late = waiting.filter(({ sentMs }) => this.#nowMs() - sentMs! > DAY_MS)
    return {
      confirmed: all.filter(({ confirmedMs, fault }) => confirmedMs && !fault).length,
      unsent: unsent.map(nameOf),
      waiting: waiting.map(nameOf),
      ...(Number.isFinite(behindUs) && { behindSinceMs: Math.floor(behindUs / 1000) }),
      differing: differing.map(nameOf),
      erasing: keeping.announced,
      failure,
      doneMs: current.doneMs,
      problems: [
        ...(failure ? [{ code: failure.code, detail: failure.detail }] : []),
        ...late.map((folder) => ({ code: 'UNDERSTUDY_SYNC_NO_RECEIPT' as const, detail: nameOf(folder) })),
        ...differing.map((folder) => ({ code: 'UNDERSTUDY_SYNC_DIFFERS' as const, detail: nameOf(folder) })),
        ...this.#around.unerased().map((detail) => ({ code: 'UNDERSTUDY_ERASE_AWAY' as const, detail }))
      ]
    }
  }

  async #tick(): Promise<void> {
    try {
      if (this.#running !== undefined) return
      await this.#keep()
      if (this.#config.sync.target !== undefined && (await this.#isDue())) await this.run()
    } catch (error) {
      // On record as a failure; this is only about what nobody foresaw.
      if (!(error instanceof UnderstudyError) && !this.#stopping.signal.aborted) {
        this.#log.error({ err: error }, 'handing over failed')
      }
    }
  }

  async #keep(): Promise<void> {
    const monoMs = this.#world.clock.monoUs() / 1000
    if (monoMs < this.#nextKeepingMs) return
    this.#nextKeepingMs = monoMs + KEEPING_MS
    await (await this.#read()).keeping.run()
  }

  async #isDue(): Promise<boolean> {
    const { failure, current } = (await this.#read()).state
    if (!failure) return this.#isScheduled(current.doneMs)
    if (failure.nextMs !== undefined) return this.#hasPassed(failure.nextMs)
    return failure.knownHosts !== (await this.#knownHosts())
  }

  /** Whether a time of the schedule has come since the last pass. */
  #isScheduled(doneMs: Ms | undefined): boolean {
    const nowMs = this.#nowMs()
    if (doneMs === undefined || doneMs > nowMs) return true
    const next = this.#schedule.after(doneMs * 1000)
    return next !== undefined && next.fromUs <= nowMs * 1000
  }

  /** Or lies so far ahead that the clock must have been set back since. */
  #hasPassed(atMs: Ms): boolean {
    const aheadMs = atMs - this.#nowMs()
    return aheadMs <= 0 || aheadMs > DAY_MS
  }

  async #pass(options: Omit<PassOptions, 'signal'> & { readonly signal?: AbortSignal }): Promise<Report> {
    const signal = AbortSignal.any([this.#stopping.signal, ...(options.signal ? [options.signal] : [])])
    const { handover, state } = await this.#read()
    try {
      const report = await handover.pass({ ...options, signal })
      const { failure: _, ...rest } = state.current
      await state.put({ ...rest, doneMs: this.#nowMs() })
      return report
    } catch (error) {
      // Whoever stopped it knows.
      if (signal.aborted) throw error
      const failure = codedFailure(error)
      await this.#failed(state, failure)
      throw failure
    }
  }

  async #read(): Promise<Kept> {
    if (this.#kept) return this.#kept
    const folders = await HandedFolders.read(this.#world, this.#paths, this.#log)
    const state = await SyncState.read(this.#world, this.#paths, this.#log)
    const kept = { paths: this.#paths, folders, state }
    const handover = new Handover(this.#world, this.#config, kept, this.#around, this.#log)
    const keeping = new Keeping(this.#world, this.#config, folders, this.#around, this.#log)
    // Two may have read at the same time; what both use is one.
    this.#kept ??= { folders, state, handover, keeping }
    return this.#kept
  }

  async #failed(state: SyncState, error: UnderstudyError): Promise<void> {
    const { code, detail } = error
    const { failure: before } = state
    const nowMs = this.#nowMs()
    const again = before?.code === code
    const count = again ? before.count + 1 : 1
    const told = { code, detail, sinceMs: again ? before.sinceMs : nowMs, count }
    this.#log.warn({ ...told, err: error }, 'sealed folders could not be handed over')
    const failure: Failure =
      code === 'UNDERSTUDY_SYNC_HOST_KEY'
        ? { ...told, knownHosts: await this.#knownHosts() }
        : { ...told, nextMs: nowMs + this.#waitMs(count) }
    await state.put({ ...state.current, failure }).catch((unkept: unknown) => {
      if (!isWithoutRoom(unkept)) throw unkept
    })
  }

  /** A minute after the first failure, twice as much after each further one, up to a day; half of it is chance. */
  #waitMs(count: number): Ms {
    const mostMs = Math.min(DAY_MS, 60_000 * 2 ** (count - 1))
    return Math.round(mostMs * (0.5 + this.#world.random.fraction() / 2))
  }

  async #knownHosts(): Promise<string> {
    const { files } = this.#world
    const { knownHosts } = this.#paths
    const text = (await files.info(knownHosts)) ? await files.readFile(knownHosts) : ''
    return createHash('sha256').update(text).digest('hex')
  }

  #nowMs(): Ms {
    return Math.floor(this.#world.clock.wallUs() / 1000)
  }
}

function codedFailure(error: unknown): UnderstudyError {
  if (error instanceof UnderstudyError) return error
  const code = isWithoutRoom(error) ? 'UNDERSTUDY_SYNC_NEAR_FULL' : 'UNDERSTUDY_INTERNAL'
  return new UnderstudyError(code, undefined, { cause: error })
}
