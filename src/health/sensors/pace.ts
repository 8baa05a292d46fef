import type { Us } from '../../world/time.ts'

const DAY_US = 86_400_000_000
/** How many values are kept of the span. */
const KEPT = 24

/** How fast a number grows or falls, over a span of the last time. */
export class Pace {
  readonly #spanUs: Us
  readonly #leastUs: Us
  /** The first is the oldest. */
  #noted: Array<{ readonly monoUs: Us; readonly value: number }> = []
  #last: { readonly monoUs: Us; readonly value: number } | undefined

  /** @param leastUs before this much of the span has passed nothing is said */
  constructor(spanUs: Us, leastUs: Us) {
    this.#spanUs = spanUs
    this.#leastUs = leastUs
  }

  note(monoUs: Us, value: number): void {
    this.#last = { monoUs, value }
    const before = this.#noted.at(-1)
    if (before && monoUs - before.monoUs < this.#spanUs / KEPT) return
    this.#noted.push(this.#last)
    while (monoUs - this.#noted[0]!.monoUs > this.#spanUs) this.#noted.shift()
  }

  /** The change in a day. */
  aDay(): number | undefined {
    const [first] = this.#noted
    if (!first || !this.#last || this.#last.monoUs - first.monoUs < this.#leastUs) return undefined
    return ((this.#last.value - first.value) / (this.#last.monoUs - first.monoUs)) * DAY_US
  }
}
