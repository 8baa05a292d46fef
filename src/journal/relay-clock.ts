import type { Ms, Us } from '../world/time.ts'

/** How much faster or slower than the relay's clock ours may run: 500 ppm, more than any crystal. */
const DRIFT = 500e-6
/** `Date` is cut off to seconds. */
const SECOND_US = 1_000_000
/** The time that is told stays as it is while it is known to be right to this. */
const WITHIN_US = 1_500_000
/** Without an answer for so long another is wanted: until then no crystal takes what is told beyond 2 s. */
const WANTED_US = 15 * 60_000_000
/** Another time than the one that is believed has to be said for so long. */
const CONTRADICTED_US = 10 * 60_000_000
/** Less certain than this it is not held to be right, as the kernel does with the time of a time service. */
const USELESS_US = 16_000_000
/** So far from the relay's a time service's time may be. */
const SYSTEM_US = 2_000_000

/** Wall time minus monotonic time lies between these, as was known at `atUs` of monotonic time. */
interface Bounds {
  readonly lowUs: Us
  readonly highUs: Us
  readonly atUs: Us
}

/**
 * What time it is by the answers of the relay. Each says it to a second and to the time that it took; together they say
 * it more closely, and less so the longer ago the last one was. One answer alone is not believed, and another time than
 * the one that is believed only after ten minutes in which every answer said so.
 */
export class RelayClock {
  #known: Bounds | undefined
  #offsetUs: Us = 0
  /** What the system's clock allows, where that was right at some time. */
  #system: Bounds | undefined
  /** What the answers say that do not agree with it, and since when. */
  #doubted: (Bounds & { readonly sinceUs: Us }) | undefined

  /** The system's clock was right then: an answer that contradicts it is not believed in this boot. */
  systemWasRight(offsetUs: Us, monoUs: Us): void {
    this.#system = { lowUs: offsetUs - SYSTEM_US, highUs: offsetUs + SYSTEM_US, atUs: monoUs }
  }

  /** An answer that came now, at `monoUs`. */
  take(dateMs: Ms, tookMs: Ms, monoUs: Us): void {
    const lowUs = dateMs * 1000 - monoUs
    const said: Bounds = { lowUs, highUs: lowUs + SECOND_US + tookMs * 1000, atUs: monoUs }
    if (this.#system && !common(this.#system, said)) return
    const agreed = this.#known && common(this.#known, said)
    const doubted = this.#doubted && common(this.#doubted, said)
    const sinceUs = doubted ? this.#doubted!.sinceUs : monoUs
    if (agreed) this.#believe(agreed)
    else if (doubted && (!this.#known || monoUs - sinceUs >= CONTRADICTED_US)) this.#believe(doubted)
    else this.#doubted = { ...(doubted ?? said), sinceUs }
  }

  /** Wall time minus monotonic time; `undefined` before any was believed. */
  get offsetUs(): Us | undefined {
    return this.#known && this.#offsetUs
  }

  /** Whether that is to be held to be right. */
  isRight(monoUs: Us): boolean {
    return this.#errorUs(monoUs) < USELESS_US
  }

  /** Whether another answer would tell more. */
  isWanted(monoUs: Us): boolean {
    return this.#doubted !== undefined || this.#known === undefined || monoUs - this.#known.atUs >= WANTED_US
  }

  #believe(bounds: Bounds): void {
    this.#known = bounds
    this.#doubted = undefined
    // Answers are coarse: they do not make the time jump to and fro.
    if (this.#errorUs(bounds.atUs) > WITHIN_US) this.#offsetUs = Math.round((bounds.lowUs + bounds.highUs) / 2)
  }

  /** The most that the time that is told may be wrong by. */
  #errorUs(monoUs: Us): Us {
    if (!this.#known) return Number.POSITIVE_INFINITY
    const { lowUs, highUs } = drifted(this.#known, monoUs)
    return Math.max(highUs - this.#offsetUs, this.#offsetUs - lowUs)
  }
}

/** What both allow; `undefined` where they contradict each other. */
function common(before: Bounds, now: Bounds): Bounds | undefined {
  const past = drifted(before, now.atUs)
  const lowUs = Math.max(past.lowUs, now.lowUs)
  const highUs = Math.min(past.highUs, now.highUs)
  return lowUs <= highUs ? { lowUs, highUs, atUs: now.atUs } : undefined
}

function drifted({ lowUs, highUs, atUs }: Bounds, monoUs: Us): Bounds {
  const driftUs = (monoUs - atUs) * DRIFT
  return { lowUs: lowUs - driftUs, highUs: highUs + driftUs, atUs: monoUs }
}
