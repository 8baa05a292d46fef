import type { Dice } from '../../src/sim/world/dice.ts'
import type { Ms } from '../../src/world/time.ts'
import type { Lab } from './lab.ts'

/**
 * What is said on the streams: bursts with long pauses between, as people do. A message that reaches a running relay is
 * sent; where none runs it is lost before it has begun.
 */
export class Students {
  readonly #lab: Lab
  readonly #pauseMs: Ms
  readonly #dice: Dice
  #ended = false

  constructor(lab: Lab, pauseMs: Ms) {
    this.#lab = lab
    this.#pauseMs = pauseMs
    this.#dice = lab.nextDice('students')
  }

  begin(): void {
    for (const stream of this.#lab.streams) this.#next(stream, this.#dice.fork(stream), 0)
  }

  end(): void {
    this.#ended = true
  }

  /** Many at once. */
  flood(stream: string, count: number, bytes: number): void {
    this.#lab.note(`${count} messages at once on ${stream}`)
    for (let left = count; left > 0; left--) this.#say(stream, bytes)
  }

  /** @param left how many more there are in this burst */
  #next(stream: string, dice: Dice, left: number): void {
    const pauseMs = left > 0 ? dice.int(100, 6000) : -Math.log(1 - dice.fraction()) * this.#pauseMs
    this.#lab.after(pauseMs, () => {
      if (this.#ended) return
      this.#say(stream, dice.chance(0.01) ? dice.int(10_000, 60_000) : dice.int(0, 300))
      this.#next(stream, dice, left > 0 ? left - 1 : dice.int(0, 6))
    })
  }

  #say(stream: string, padBytes: number): void {
    if (!this.#lab.relayRuns) return
    const text = this.#lab.model.sends(stream, padBytes)
    this.#lab.relay.say(stream, text)
  }
}
