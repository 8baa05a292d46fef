import type { Frame, Sealed } from '../journal/entry.ts'
import type { Journal } from '../journal/journal.ts'
import type { Log } from '../log.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { withAwaited } from './awaited.ts'
import { dueOf, nextEndUs, SETTLE_US } from './due.ts'
import type { Capture } from './filing.ts'
import type { GoneThrough } from './gone-through.ts'
import { knownNowUs } from './known-now.ts'
import { afterSealing, completeBelow, folderName, holds, type Progress } from './ledger.ts'
import type { Window } from './schedule.ts'
import { type SealJob, type SealStep, sealFolder } from './seal.ts'
import type { SealedFolder } from './sealed.ts'

/** For so long at most windows wait for the time to be known. */
const MOST_HELD_US = 48 * 3_600_000_000

export interface MakingOptions {
  /** The data folder. */
  readonly directory: string
  readonly site: string
  readonly version: string
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

/** Makes the folders of what is due, in order, one after the other. */
export class Making {
  readonly #world: World
  readonly #journal: Journal
  readonly #gone: GoneThrough
  readonly #captures: readonly Capture[]
  readonly #options: MakingOptions
  readonly #signal: AbortSignal
  readonly #log: Log
  #tickedUs: Us
  /** Before this time no window ends. */
  #nextUs = Number.NEGATIVE_INFINITY
  /** The time when it was last looked: before it, the clock was set back, and windows that were sealed early are open. */
  #lookedUs = Number.NEGATIVE_INFINITY
  #sealing: { readonly capture: string; readonly folder: string } | undefined

  /** @param signal ends it */
  constructor(
    world: World,
    journal: Journal,
    gone: GoneThrough,
    captures: readonly Capture[],
    options: MakingOptions,
    signal: AbortSignal,
    log: Log
  ) {
    this.#world = world
    this.#journal = journal
    this.#gone = gone
    this.#captures = captures
    this.#options = options
    this.#signal = signal
    this.#log = log
    this.#tickedUs = world.clock.monoUs()
  }

  /** What is being sealed now. */
  get sealing(): { readonly capture: string; readonly folder: string } | undefined {
    return this.#sealing
  }

  /** Spares going through the journal every minute. */
  get mayBeDue(): boolean {
    const { source, wallUs } = this.#journal.stamp()
    if (source === 'none' || wallUs < this.#lookedUs) return true
    return wallUs >= this.#nextUs + SETTLE_US || this.#gone.isKeepingDue
  }

  /** Goes through the journal, and seals every window that has ended and settled. */
  async makeDue(told?: SealJob['progress']): Promise<void> {
    await this.#gone.ledger()
    const passedUs = this.#passed()
    const nowUs = await knownNowUs(this.#journal)
    if (nowUs === undefined) return this.#wait(passedUs)
    this.#lookedUs = nowUs
    const touched = await this.#gone.goOn(nowUs, this.#signal)
    const settledUs = await this.#settledUs(nowUs)
    const isSettled = ({ capture, window }: Due): boolean =>
      window.toUs <= settledUs && !touched.has(`${capture.name} ${window.label}`)
    await this.#sealDue(nowUs, isSettled, told)
    this.#nextUs = touched.size > 0 ? nowUs - SETTLE_US : nextEndUs(this.#captures, settledUs, this.#gone.progress)
  }

  /** What ended before this time has settled: where the clock was set forward no minute has passed by that. */
  async #settledUs(nowUs: Us): Promise<Us> {
    const { boot, monoUs } = this.#journal.stamp()
    const timeline = await this.#journal.timeline()
    return Math.min(nowUs - SETTLE_US, timeline.wallUs(boot, monoUs - SETTLE_US))
  }

  /** Seals a window, or a supplement to it. The journal has been gone through. */
  async seal(capture: Capture, window: Window, nowUs: Us, told?: SealJob['progress'], knownUs?: Us): Promise<void> {
    const { name } = capture
    const ledger = await this.#gone.ledger()
    const parts = ledger.parts(name, window.label)
    const earlier = [...parts, ...ledger.undated(name)]
    const isSealed = (frame: Frame): boolean => earlier.some((one) => holds(one, frame, frame.trueUs ?? frame.wallUs))
    const supplement = parts.length + 1
    const former = parts.at(-1)?.folder
    const known = this.#gone.progress!
    const before = known.place.position
    const first = known.open[name]?.find(({ label }) => label === window.label)?.first ?? before
    const progress = withAwaited(known, this.#journal, { from: first, to: before })
    const made: Pick<Sealed, 'capture' | 'window' | 'before'> = { capture: name, window, before }
    const left = afterSealing(progress, made as Sealed)
    await this.#sealFolder(capture, left, {
      folder: folderName(window.label, supplement),
      supplement,
      isWhole: parts.every(({ lost }) => lost),
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
      | 'isWhole'
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
    const ledger = await this.#gone.ledger()
    this.#sealing = { capture: name, folder: job.folder }
    try {
      const folder: SealedFolder | undefined = await sealFolder(this.#world, this.#journal, {
        ...job,
        directory,
        site,
        version,
        timeSource: this.#journal.stamp().source,
        capture: capture.config,
        wanted: capture.wants,
        missing: left.place.skipped ?? [],
        completeBelow: completeBelow(left, name),
        signal: this.#signal,
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
      this.#gone.kept = left
    } finally {
      this.#sealing = undefined
    }
  }

  async #sealDue(nowUs: Us, isSettled: (due: Due) => boolean, told?: SealJob['progress'], knownUs?: Us): Promise<void> {
    const ledger = await this.#gone.ledger()
    const due = this.#captures
      .flatMap((capture) => dueOf(capture, nowUs, ledger, this.#gone.progress).map((window) => ({ capture, window })))
      .filter(isSettled)
      .sort((a, b) => a.window.toUs - b.window.toUs || a.window.fromUs - b.window.fromUs)
    for (const { capture, window } of due) await this.seal(capture, window, nowUs, told, knownUs)
  }

  /**
   * The time is not known. After 48 h what has come since it was is sealed under boot and position; and so is, by its
   * date, each window that has ended in any case.
   */
  async #wait(passedUs: Us): Promise<void> {
    const held = this.#gone.orBeginning
    const heldUs = held.heldUs + passedUs
    await this.#gone.note({ ...held, unknownUs: held.unknownUs + passedUs, heldUs })
    if (heldUs >= MOST_HELD_US) await this.#sealUndated()
  }

  async #sealUndated(): Promise<void> {
    const ledger = await this.#gone.ledger()
    const { boot } = this.#world.clock
    const { wallUs } = this.#journal.stamp()
    const known = this.#gone.progress!
    const from = Math.max(known.place.position, this.#journal.firstPosition)
    const to = this.#journal.nextPosition
    const former = withAwaited(known, this.#journal, { from, to })
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
    await this.#gone.keep({ ...left, heldUs: 0 })
    const { knownUs, unknownUs } = left
    if (knownUs !== undefined) await this.#sealDue(knownUs + unknownUs, () => true, undefined, knownUs)
  }

  #passed(): Us {
    const monoUs = this.#world.clock.monoUs()
    const passedUs = monoUs - this.#tickedUs
    this.#tickedUs = monoUs
    return passedUs
  }
}
