import type { CaptureConfig } from '../config/config.ts'
import { UnderstudyError } from '../errors.ts'
import type { Journal } from '../journal/journal.ts'
import type { Log } from '../log.ts'
import { InTurn } from '../world/in-turn.ts'
import type { Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { type CaptureStatus, statusOf } from './capture-status.ts'
import { Capture } from './filing.ts'
import { GoneThrough } from './gone-through.ts'
import { knownNowUs } from './known-now.ts'
import type { Ledger } from './ledger.ts'
import { Making, type MakingOptions } from './making.ts'
import type { SealJob } from './seal.ts'

/** After a failure. */
const RETRY_US = 300_000_000

export interface CapturesOptions extends MakingOptions {
  readonly captures: readonly CaptureConfig[]
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
  readonly #captures: readonly Capture[]
  readonly #gone: GoneThrough
  readonly #making: Making
  readonly #stopping = new AbortController()
  #failedUs: Us | undefined
  readonly #work = new InTurn()
  #queued = false
  #timer: Timer | undefined

  constructor(world: World, journal: Journal, options: CapturesOptions, log: Log) {
    this.#world = world
    this.#journal = journal
    this.#log = log
    this.#captures = options.captures.map((config) => new Capture(config))
    this.#gone = new GoneThrough(world, journal, this.#captures, options.directory, log)
    const { signal } = this.#stopping
    this.#making = new Making(world, journal, this.#gone, this.#captures, options, signal, log)
  }

  /** From now on it looks every minute what is due. It touches the disk only then: recording does not wait for it. */
  start(): void {
    this.#timer = this.#world.timers.cron('* * * * *', () => void this.look())
    void this.look()
  }

  /** What has been sealed. */
  ledger(): Promise<Ledger> {
    return this.#gone.ledger()
  }

  async stop(): Promise<void> {
    this.#timer?.cancel()
    this.#stopping.abort()
    await this.#work.idle()
  }

  /** Makes what is due. Never rejects: what fails is tried again later. */
  async look(): Promise<void> {
    if (this.#queued) return
    this.#queued = true
    await this.#work.run(async () => {
      this.#queued = false
      const monoUs = this.#world.clock.monoUs()
      if (this.#failedUs !== undefined && monoUs - this.#failedUs < RETRY_US) return
      try {
        this.#failedUs = undefined
        if (this.#making.mayBeDue) await this.#making.makeDue()
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
    return this.#work.run(async () => {
      const capture = this.#captures.find((one) => one.name === name)
      if (!capture) throw new UnderstudyError('UNDERSTUDY_UNKNOWN_CAPTURE', name)
      const nowUs = await knownNowUs(this.#journal)
      if (nowUs === undefined) throw new UnderstudyError('UNDERSTUDY_CAPTURE_NOT_DUE', 'the time is not known')
      await this.#making.makeDue(progress)
      const window = atUs === undefined ? capture.schedule.endedBy(nowUs) : capture.schedule.holding(atUs)[0]
      if (!window || window.toUs > nowUs) {
        throw new UnderstudyError('UNDERSTUDY_CAPTURE_NOT_DUE', window ? `${window.label} has not ended` : '')
      }
      const ledger = await this.ledger()
      const isOpen = this.#gone.progress?.open[name]?.some(({ label }) => label === window.label)
      if (isOpen || ledger.parts(name, window.label).length === 0)
        await this.#making.seal(capture, window, nowUs, progress)
      return ledger.parts(name, window.label).map(({ folder }) => folder)
    })
  }

  async status(): Promise<CaptureStatus[]> {
    const ledger = await this.ledger()
    const nowUs = await knownNowUs(this.#journal)
    const { sealing } = this.#making
    return this.#captures.map((capture) => ({
      ...statusOf(capture, ledger, this.#gone.progress, nowUs),
      ...(sealing?.capture === capture.name && { sealing: sealing.folder })
    }))
  }

  /** Whether a capture is of all streams. */
  isWhole(name: string): boolean {
    return this.#captures.find((capture) => capture.name === name)?.whole === true
  }
}
