import type { Ms, Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Stamp, TimeSource } from './entry.ts'
import { earliestMs, type KnownTime } from './known-time.ts'
import { RelayClock } from './relay-clock.ts'

/** How often the wall clock is compared with monotonic time. */
const SAMPLE_US = 50_000
/** The wall clock is read in ms: less than this is its grain, not a movement. */
const GRAIN_US = 2_000
/** A difference that counts as a step, and beyond which slow drift is put on record. */
const STEP_US = 100_000
const SYNCHRONISED_EVERY_MS = 10_000

/**
 * Stamps entries. Wall time is monotonic time plus an offset that is measured again and again, so that a stamp costs
 * one clock read, and a step of the clock or a change of its source is noticed and told.
 */
export class Timekeeper {
  /** Called before the first stamp that follows a step of the clock or a change of its source. */
  changed: (steppedUs: Us) => void = () => {}
  readonly #world: World
  readonly #trusted: boolean
  readonly #earliestMs: Ms
  #offsetUs: Us
  #announcedUs: Us
  #sampledUs: Us
  #source: TimeSource = 'none'
  #systemUnknown: boolean
  /** Wall time is not before the last that is certain, as long as nothing says what time it is. */
  readonly #leastOffsetUs: Us
  readonly #relay = new RelayClock()
  #timer: Timer | undefined

  /** @param known what is on record of the time, where there is a record */
  constructor(world: World, options: { readonly trusted: boolean; readonly known?: KnownTime | undefined }) {
    const { trusted, known } = options
    this.#world = world
    this.#trusted = trusted
    this.#earliestMs = earliestMs(known)
    this.#systemUnknown = !(known?.clockKnown && known.boot === world.clock.boot)
    this.#sampledUs = world.clock.monoUs()
    this.#leastOffsetUs = (known?.certainUs ?? 0) - this.#sampledUs
    // When in this boot it was right is not known.
    if (!this.#systemUnknown) this.#relay.systemWasRight(this.#systemOffsetUs(this.#sampledUs), 0)
    this.#offsetUs = this.#measured(this.#sampledUs)
    this.#announcedUs = this.#offsetUs
  }

  /**
   * Where the system's clock was at no time held to be right in this boot, as far as is known: the earliest that it can
   * be. Else `undefined`.
   */
  get unknownSinceMs(): Ms | undefined {
    return this.#systemUnknown ? this.#earliestMs : undefined
  }

  async start(): Promise<void> {
    this.#source = await this.#askSource()
    this.#timer = this.#world.timers.every(SYNCHRONISED_EVERY_MS, () => {
      void this.#askSource().then((source) => {
        if (source !== this.#source && this.#timer) this.#become(source)
      })
    })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  stamp(): Stamp {
    const { clock } = this.#world
    const monoUs = clock.monoUs()
    if (monoUs - this.#sampledUs >= SAMPLE_US) this.#sample(monoUs)
    return { wallUs: monoUs + this.#offsetUs, monoUs, boot: clock.boot, source: this.#source }
  }

  /**
   * Takes the relay's time, which serves while the system's clock is not synchronised (see `RelayClock`). One that lies
   * before what is on record, or before this release was made, does not count at all.
   */
  relayTime(dateMs: Ms, tookMs: Ms): void {
    if (dateMs < this.#earliestMs) return
    const monoUs = this.#world.clock.monoUs()
    this.#relay.take(dateMs, tookMs, monoUs)
    if (this.#source === 'none' && this.#relay.isRight(monoUs)) this.#become('relay')
    else this.#sample(monoUs)
  }

  /** Whether the relay is to be asked for the time: nothing better is known. */
  get wantsRelayTime(): boolean {
    const isKnown = this.#source === 'ntp' || this.#source === 'trusted'
    return !isKnown && this.#relay.isWanted(this.#world.clock.monoUs())
  }

  #sample(monoUs: Us): void {
    this.#measure(monoUs)
    if (Math.abs(this.#offsetUs - this.#announcedUs) > STEP_US) this.#announce()
  }

  #measure(monoUs: Us): void {
    this.#sampledUs = monoUs
    const measured = this.#measured(monoUs)
    if (Math.abs(measured - this.#offsetUs) > GRAIN_US) this.#offsetUs = measured
  }

  #measured(monoUs: Us): Us {
    const systemUs = this.#systemOffsetUs(monoUs)
    if (this.#source === 'relay') return this.#relay.offsetUs ?? systemUs
    return this.#systemUnknown ? (this.#relay.offsetUs ?? Math.max(systemUs, this.#leastOffsetUs)) : systemUs
  }

  #systemOffsetUs(monoUs: Us): Us {
    return this.#world.clock.wallUs() - monoUs
  }

  #become(source: TimeSource): void {
    this.#source = source
    this.#measure(this.#world.clock.monoUs())
    this.#announce()
  }

  #announce(): void {
    const steppedUs = this.#offsetUs - this.#announcedUs
    this.#announcedUs = this.#offsetUs
    this.changed(steppedUs)
  }

  async #askSource(): Promise<TimeSource> {
    const { clock } = this.#world
    const synchronised = await clock.synchronised()
    const monoUs = clock.monoUs()
    if (synchronised || this.#trusted) {
      this.#systemUnknown = false
      this.#relay.systemWasRight(this.#systemOffsetUs(monoUs), monoUs)
      return synchronised ? 'ntp' : 'trusted'
    }
    return this.#relay.isRight(monoUs) ? 'relay' : 'none'
  }
}
