import type { Ms, Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Stamp, TimeSource } from './entry.ts'
import { earliestMs, type KnownTime } from './known-time.ts'

/** How often the wall clock is compared with monotonic time. */
const SAMPLE_US = 50_000
/** The wall clock is read in ms: less than this is its grain, not a movement. */
const GRAIN_US = 2_000
/** A difference that counts as a step, and beyond which slow drift is put on record. */
const STEP_US = 100_000
const SYNCHRONISED_EVERY_MS = 10_000
/** Answers of the relay differ by this much without its time having changed: `Date` is given in seconds. */
const RELAY_GRAIN_US = 1_500_000
/** How much faster or slower than the relay's clock ours may run: 500 ppm, more than any crystal. */
const RELAY_DRIFT = 500e-6

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
  /** Wall time minus monotonic time as the relay has it, once it has said so over a checked connection. */
  #relayOffsetUs: Us | undefined
  /** Monotonic time of the last answer that agreed. */
  #relayAgreedUs: Us = 0
  /** What an answer said that did not agree; the next one decides. */
  #doubtedOffsetUs: Us | undefined
  #timer: Timer | undefined

  /** @param known what is on record of the time, where there is a record */
  constructor(world: World, options: { readonly trusted: boolean; readonly known?: KnownTime | undefined }) {
    const { trusted, known } = options
    this.#world = world
    this.#trusted = trusted
    this.#earliestMs = earliestMs(known)
    this.#systemUnknown = !(known?.clockKnown && known.boot === world.clock.boot)
    this.#sampledUs = world.clock.monoUs()
    this.#offsetUs = world.clock.wallUs() - this.#sampledUs
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
   * Takes the relay's time, which serves while the system's clock is not synchronised. Another time than the relay gave
   * before, further off than the two clocks can have drifted apart, counts only when the next answer says the same. One
   * that lies before what is on record, or before this release was made, does not count at all.
   */
  relayTime(dateMs: Ms): void {
    if (dateMs < this.#earliestMs) return
    const monoUs = this.#world.clock.monoUs()
    const offsetUs = Math.round(dateMs * 1000 + 500_000 - monoUs)
    const doubtedUs = this.#doubtedOffsetUs
    const offUs = this.#relayOffsetUs === undefined ? 0 : Math.abs(offsetUs - this.#relayOffsetUs)
    const agrees = offUs <= RELAY_GRAIN_US + (monoUs - this.#relayAgreedUs) * RELAY_DRIFT
    this.#doubtedOffsetUs = agrees ? undefined : offsetUs
    if (!agrees && (doubtedUs === undefined || Math.abs(offsetUs - doubtedUs) > RELAY_GRAIN_US)) return
    this.#relayAgreedUs = monoUs
    if (this.#relayOffsetUs !== undefined && offUs <= RELAY_GRAIN_US) return
    this.#relayOffsetUs = offsetUs
    if (this.#source === 'none') this.#become('relay')
    else this.#sample(monoUs)
  }

  #sample(monoUs: Us): void {
    this.#measure(monoUs)
    if (Math.abs(this.#offsetUs - this.#announcedUs) > STEP_US) this.#announce()
  }

  #measure(monoUs: Us): void {
    this.#sampledUs = monoUs
    const relay = this.#source === 'relay' ? this.#relayOffsetUs : undefined
    const measured = relay ?? this.#world.clock.wallUs() - monoUs
    if (Math.abs(measured - this.#offsetUs) > GRAIN_US) this.#offsetUs = measured
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
    const synchronised = await this.#world.clock.synchronised()
    if (synchronised || this.#trusted) this.#systemUnknown = false
    if (synchronised) return 'ntp'
    if (this.#trusted) return 'trusted'
    return this.#relayOffsetUs === undefined ? 'none' : 'relay'
  }
}
