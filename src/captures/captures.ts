import type { CaptureConfig } from '../config/config.ts'
import { UnderstudyError } from '../errors.ts'
import type { Frame, Sealed } from '../journal/entry.ts'
import type { Journal } from '../journal/journal.ts'
import type { Log } from '../log.ts'
import type { Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { Capture, file } from './filing.ts'
import {
  afterSealing,
  beginning,
  completeBelow,
  folderName,
  holds,
  Ledger,
  type LedgerEntry,
  type Progress
} from './ledger.ts'
import type { Window } from './schedule.ts'
import { type SealJob, type SealStep, sealFolder, unfinishedName } from './seal.ts'
import { capturesPath, type SealedFolder } from './sealed.ts'

const HOUR_US = 3_600_000_000
/** For so long at most windows wait for the time to be known. */
const MOST_HELD_US = 48 * HOUR_US
/** While no window ends the journal is gone through, and the place in it kept, this often. */
const KEEP_US = HOUR_US / 6
/** So long after its end a window is sealed by itself: only then every stream has proved that it was heard to the end. */
const SETTLE_US = 60_000_000
/** After a failure. */
const RETRY_US = HOUR_US / 12

export interface CapturesOptions {
  /** The data folder. */
  readonly directory: string
  readonly site: string
  readonly version: string
  readonly captures: readonly CaptureConfig[]
  /** What is in a sealed folder of all streams counts as known to be elsewhere. */
  readonly sealedIsConfirmed?: boolean
  /** For tests: called after each step on the way to a sealed folder. */
  readonly step?: (step: SealStep) => void | Promise<void>
}

/** A window that has ended and is in no folder, or not wholly. */
interface Due {
  readonly capture: Capture
  readonly window: Window
}

/** How a capture stands. */
export interface CaptureStatus {
  readonly capture: string
  readonly schedule: string
  readonly timeZone: string
  readonly sealed: ReadonlyArray<
    Pick<LedgerEntry, 'folder' | 'confirmed' | 'removed'> & { readonly fromUs?: Us; readonly toUs?: Us }
  >
  /** Ended, and not sealed yet; absent while the time is not known. */
  readonly due?: readonly Window[]
  readonly running?: readonly Window[]
  readonly next?: Window
  /** Since when it waits for the time, in µs of monotonic time; 0 while it is known. */
  readonly waitingUs: Us
  /** What is being sealed now. */
  readonly sealing?: string
}

/**
 * Makes the windows of every capture, each once: what is due is computed from schedule, time and ledger whenever a
 * minute has passed, and does not depend on a timer that fired at the right moment. It is made in order, one after the
 * other, while recording goes on.
 */
export class Captures {
  readonly #world: World
  readonly #journal: Journal
  readonly #log: Log
  readonly #options: CapturesOptions
  readonly #captures: readonly Capture[]
  readonly #stopping = new AbortController()
  #opened: Promise<Ledger> | undefined
  #progress: Progress | undefined
  #tickedUs: Us
  #keptUs: Us
  /** Before this time no window ends. */
  #nextUs = Number.NEGATIVE_INFINITY
  #failedUs: Us | undefined
  #sealing: { readonly capture: string; readonly folder: string } | undefined
  #work: Promise<unknown> = Promise.resolve()
  #queued = false
  #timer: Timer | undefined

  constructor(world: World, journal: Journal, options: CapturesOptions, log: Log) {
    this.#world = world
    this.#journal = journal
    this.#options = options
    this.#log = log
    this.#captures = options.captures.map((config) => new Capture(config))
    this.#tickedUs = this.#keptUs = world.clock.monoUs()
  }

  /** From now on it looks every minute what is due. It touches the disk only then: recording does not wait for it. */
  start(): void {
    this.#timer = this.#world.timers.cron('* * * * *', () => void this.look())
    void this.look()
  }

  /** What has been sealed. */
  ledger(): Promise<Ledger> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#stopping.abort()
    await this.#work
  }

  /** Makes what is due. Never rejects: what fails is tried again later. */
  async look(): Promise<void> {
    if (this.#queued) return
    this.#queued = true
    await this.#serially(async () => {
      this.#queued = false
      const monoUs = this.#world.clock.monoUs()
      if (this.#failedUs !== undefined && monoUs - this.#failedUs < RETRY_US) return
      try {
        this.#failedUs = undefined
        if (this.#mayBeDue(monoUs)) await this.#makeDue()
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        this.#failedUs = this.#world.clock.monoUs()
        this.#log.error({ err: error }, 'a capture could not be made; it is tried again')
      }
    })
  }

  /**
   * Makes a window now, after all that is due before it: the one that holds a time, which must have ended, or else the
   * last one that has.
   * @returns its folders; the last one is a supplement where something has come since
   * @throws UNDERSTUDY_UNKNOWN_CAPTURE, UNDERSTUDY_CAPTURE_NOT_DUE
   */
  run(name: string, atUs?: Us, progress?: SealJob['progress']): Promise<string[]> {
    return this.#serially(async () => {
      const capture = this.#captures.find((one) => one.name === name)
      if (!capture) throw new UnderstudyError('UNDERSTUDY_UNKNOWN_CAPTURE', name)
      const nowUs = await this.#knownNowUs()
      if (nowUs === undefined) throw new UnderstudyError('UNDERSTUDY_CAPTURE_NOT_DUE', 'the time is not known')
      await this.#makeDue(progress)
      const window = atUs === undefined ? capture.schedule.endedBy(nowUs) : capture.schedule.holding(atUs)[0]
      if (!window || window.toUs > nowUs) {
        throw new UnderstudyError('UNDERSTUDY_CAPTURE_NOT_DUE', window ? `${window.label} has not ended` : '')
      }
      const ledger = await this.ledger()
      const isOpen = this.#progress?.open[name]?.some(({ label }) => label === window.label)
      if (isOpen || ledger.parts(name, window.label).length === 0) await this.#seal(capture, window, nowUs, progress)
      return ledger.parts(name, window.label).map(({ folder }) => folder)
    })
  }

  async status(): Promise<CaptureStatus[]> {
    const ledger = await this.ledger()
    const nowUs = await this.#knownNowUs()
    return this.#captures.map((capture) => {
      const { name, schedule } = capture
      const next = nowUs === undefined ? undefined : schedule.after(nowUs)
      return {
        capture: name,
        schedule: schedule.expression,
        timeZone: schedule.zone.name,
        sealed: ledger.entries(name).map(({ folder, confirmed, removed, window }) => {
          const period = window && { fromUs: window.fromUs, toUs: window.toUs }
          return { folder, confirmed, removed, ...period }
        }),
        ...(nowUs !== undefined && {
          due: this.#dueOf(capture, nowUs, ledger),
          running: schedule.holding(nowUs)
        }),
        ...(next && { next }),
        waitingUs: nowUs === undefined ? (this.#progress?.heldUs ?? 0) : 0,
        ...(this.#sealing?.capture === name && { sealing: this.#sealing.folder })
      }
    })
  }

  /** Whether a capture is of all streams. */
  isWhole(name: string): boolean {
    return this.#captures.find((capture) => capture.name === name)?.whole === true
  }

  async #open(): Promise<Ledger> {
    const { directory } = this.#options
    await clearUnfinished(this.#world, directory)
    const ledger = await Ledger.open(this.#journal, this.#world.files, directory, this.#log)
    this.#progress = ledger.progress
    return ledger
  }

  /** Spares going through the journal every minute. */
  #mayBeDue(monoUs: Us): boolean {
    const { source, wallUs } = this.#journal.stamp()
    return source === 'none' || wallUs >= this.#nextUs + SETTLE_US || monoUs - this.#keptUs >= KEEP_US
  }

  /** When the next window ends. */
  #nextEndUs(nowUs: Us): Us {
    const ends = this.#captures.flatMap((capture) => [
      ...(this.#progress?.open[capture.name] ?? []).map(({ toUs }) => toUs),
      ...capture.windowsAt(nowUs).map(({ toUs }) => toUs),
      capture.schedule.after(nowUs)?.toUs ?? Number.POSITIVE_INFINITY
    ])
    return Math.min(...ends.filter((endUs) => endUs + SETTLE_US > nowUs))
  }

  async #makeDue(told?: SealJob['progress']): Promise<void> {
    const ledger = await this.ledger()
    const passedUs = this.#passed()
    const nowUs = await this.#knownNowUs()
    if (nowUs === undefined) return this.#wait(passedUs)
    const before = this.#progress
    const begun = await this.#begin(nowUs)
    const touched = new Set<string>()
    const filed = await file(
      this.#journal,
      ledger,
      this.#captures,
      { ...begun, knownUs: nowUs, unknownUs: 0, heldUs: 0 },
      (capture, { label }) => touched.add(`${capture.name} ${label}`),
      this.#stopping.signal
    )
    const progress = this.#withEarly(filed, ledger, nowUs)
    this.#progress = progress
    if (before === undefined || begun !== before || this.#world.clock.monoUs() - this.#keptUs >= KEEP_US) {
      await this.#keep(progress)
    }
    const isSettled = ({ capture, window }: Due): boolean =>
      nowUs - window.toUs >= SETTLE_US && !touched.has(`${capture.name} ${window.label}`)
    await this.#sealDue(nowUs, isSettled, told)
    this.#nextUs = touched.size > 0 ? nowUs - SETTLE_US : this.#nextEndUs(nowUs)
  }

  /** A clock that was ahead has sealed windows before their end: they are open until then. */
  #withEarly(filed: Progress, ledger: Ledger, nowUs: Us): Progress {
    const first = filed.place.position - 1
    const open = { ...filed.open }
    for (const { name } of this.#captures) {
      const windows = new Map((open[name] ?? []).map((window) => [window.label, window]))
      for (const { window } of ledger.entries(name)) {
        if (window && window.toUs > nowUs && !windows.has(window.label)) windows.set(window.label, { ...window, first })
      }
      open[name] = [...windows.values()]
    }
    return { ...filed, open }
  }

  async #sealDue(nowUs: Us, isSettled: (due: Due) => boolean, told?: SealJob['progress'], knownUs?: Us): Promise<void> {
    const ledger = await this.ledger()
    const due = this.#captures
      .flatMap((capture) => this.#dueOf(capture, nowUs, ledger).map((window) => ({ capture, window })))
      .filter(isSettled)
      .sort((a, b) => a.window.toUs - b.window.toUs || a.window.fromUs - b.window.fromUs)
    for (const { capture, window } of due) await this.#seal(capture, window, nowUs, told, knownUs)
  }

  /** The windows of a capture that have ended and are not, or not wholly, sealed. */
  #dueOf({ name, schedule }: Capture, nowUs: Us, ledger: Ledger): Window[] {
    const progress = this.#progress
    const due = new Map<string, Window>()
    for (const window of progress?.open[name] ?? []) if (window.toUs <= nowUs) due.set(window.label, window)
    const beginUs = progress?.begun[name]
    if (beginUs === undefined) return [...due.values()]
    const latestUs = ledger.latestUs(name)
    let window =
      latestUs === undefined || latestUs < beginUs
        ? (schedule.holding(beginUs)[0] ?? schedule.after(beginUs))
        : schedule.after(latestUs)
    for (; window && window.fromUs < nowUs; window = schedule.after(window.fromUs)) {
      const isMade = ledger.parts(name, window.label).some((part) => part.window?.fromUs === window?.fromUs)
      if (window.toUs <= nowUs && !isMade) due.set(window.label, window)
    }
    return [...due.values()]
  }

  async #seal(capture: Capture, window: Window, nowUs: Us, told?: SealJob['progress'], knownUs?: Us): Promise<void> {
    const { name } = capture
    const ledger = await this.ledger()
    const parts = ledger.parts(name, window.label)
    const earlier = [...parts, ...ledger.undated(name)]
    const isSealed = (frame: Frame): boolean => earlier.some((one) => holds(one, frame, frame.trueUs ?? frame.wallUs))
    const supplement = parts.length + 1
    const former = parts.at(-1)?.folder
    const progress = this.#progress!
    const before = progress.place.position
    const made: Pick<Sealed, 'capture' | 'window' | 'before'> = { capture: name, window, before }
    const left = afterSealing(progress, made as Sealed)
    await this.#sealFolder(capture, left, {
      folder: folderName(window.label, supplement),
      supplement,
      ...(former !== undefined && { former }),
      window,
      before,
      isSealed: earlier.length === 0 ? () => false : isSealed,
      nowUs,
      ...(told && { progress: told }),
      ...(knownUs !== undefined && { knownUs })
    })
  }

  async #sealFolder(
    capture: Capture,
    left: Progress,
    job: Pick<
      SealJob,
      | 'folder'
      | 'supplement'
      | 'former'
      | 'window'
      | 'undated'
      | 'before'
      | 'isSealed'
      | 'nowUs'
      | 'knownUs'
      | 'progress'
    >
  ): Promise<void> {
    const { directory, site, version, step = () => {} } = this.#options
    const name = capture.name
    const ledger = await this.ledger()
    this.#sealing = { capture: name, folder: job.folder }
    try {
      const folder: SealedFolder | undefined = await sealFolder(this.#world, this.#journal, {
        ...job,
        directory,
        site,
        version,
        capture: capture.config,
        wanted: capture.wants,
        missing: left.place.skipped ?? [],
        completeBelow: completeBelow(left, name),
        signal: this.#stopping.signal,
        step
      })
      if (folder) {
        await ledger.sealed(folder, left)
        await step('noted')
        if (this.#options.sealedIsConfirmed && capture.whole) {
          await this.#journal.confirm(folder.manifest.journal.completeBelow)
        }
        const frames = folder.manifest.streams.reduce((sum, stream) => sum + stream.frames, 0)
        this.#log.info({ capture: name, folder: job.folder, frames }, 'sealed')
      } else {
        await ledger.keep(left)
      }
      this.#progress = left
      this.#keptUs = this.#world.clock.monoUs()
    } finally {
      this.#sealing = undefined
    }
  }

  /**
   * The time is not known. After 48 h what has come since it was is sealed under boot and position; and so is, by its
   * date, each window that has ended in any case.
   */
  async #wait(passedUs: Us): Promise<void> {
    const place = { position: this.#journal.firstPosition }
    const held = this.#progress ?? { ...beginning, place }
    const unknownUs = held.unknownUs + passedUs
    const heldUs = held.heldUs + passedUs
    this.#progress = { ...held, unknownUs, heldUs }
    if (heldUs >= MOST_HELD_US) return this.#sealUndated()
    if (this.#world.clock.monoUs() - this.#keptUs >= KEEP_US) await this.#keep(this.#progress)
  }

  async #sealUndated(): Promise<void> {
    const ledger = await this.ledger()
    const { boot } = this.#world.clock
    const { wallUs } = this.#journal.stamp()
    const former = this.#progress!
    const from = Math.max(former.place.position, this.#journal.firstPosition)
    const to = this.#journal.nextPosition
    const left: Progress = { ...former, place: { ...former.place, position: to } }
    for (const capture of this.#captures) {
      const folder = `boot-${boot}-${from}`
      if (ledger.find(capture.name, folder)) continue
      const undated = { from, to, boot }
      // Only with the last of them the place moves on: until then each is still to be made.
      const earlier = ledger.undated(capture.name)
      const isSealed = (frame: Frame): boolean => earlier.some((one) => holds(one, frame, frame.wallUs))
      const job = { folder, supplement: 1, undated, before: to, isSealed, nowUs: wallUs }
      await this.#sealFolder(capture, former, job)
    }
    await this.#keep({ ...left, heldUs: 0 })
    const { knownUs, unknownUs } = left
    if (knownUs !== undefined) await this.#sealDue(knownUs + unknownUs, () => true, undefined, knownUs)
  }

  /** When each capture begins is settled when it is first seen. */
  async #begin(nowUs: Us): Promise<Progress> {
    const progress = this.#progress ?? { ...beginning, place: { position: this.#journal.firstPosition } }
    const fresh = this.#captures.filter(({ name }) => progress.begun[name] === undefined)
    if (fresh.length === 0) return progress
    const beginUs = this.#progress && Object.keys(this.#progress.begun).length > 0 ? nowUs : await this.#firstUs(nowUs)
    for (const { name } of fresh) this.#journal.note({ event: 'capture', capture: name, beginUs })
    const begun = Object.fromEntries(fresh.map(({ name }) => [name, beginUs]))
    return { ...progress, begun: { ...progress.begun, ...begun } }
  }

  /** The time of the first entry kept, where it is known. */
  async #firstUs(nowUs: Us): Promise<Us> {
    const [entry] = await this.#journal.cursor().next(1)
    const timeline = await this.#journal.timeline()
    return entry && timeline.knows(entry.boot) ? Math.min(nowUs, timeline.wallUs(entry.boot, entry.monoUs)) : nowUs
  }

  /** The time, where it is known: then that of all that was recorded is too. */
  async #knownNowUs(): Promise<Us | undefined> {
    const stamp = this.#journal.stamp()
    const timeline = await this.#journal.timeline()
    if (!timeline.knows(stamp.boot)) return undefined
    return stamp.source === 'none' ? timeline.wallUs(stamp.boot, stamp.monoUs) : stamp.wallUs
  }

  async #keep(progress: Progress): Promise<void> {
    await (await this.ledger()).keep(progress)
    this.#progress = progress
    this.#keptUs = this.#world.clock.monoUs()
  }

  #passed(): Us {
    const monoUs = this.#world.clock.monoUs()
    const passedUs = monoUs - this.#tickedUs
    this.#tickedUs = monoUs
    return passedUs
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => {})
    return done
  }
}

/** What a process left that ended in the middle. */
async function clearUnfinished({ files }: World, directory: string): Promise<void> {
  const root = capturesPath(directory)
  if (!(await files.info(root))) return
  for (const capture of await files.list(root)) {
    if (capture.kind !== 'directory') continue
    for (const { name } of await files.list(`${root}/${capture.name}`)) {
      const isUnfinished = name === unfinishedName(name.slice(1, -4))
      if (isUnfinished) await files.remove(`${root}/${capture.name}/${name}`)
    }
  }
}
