import { createHash } from 'node:crypto'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

/** Chance from a seed. Each part of a simulation throws its own dice, so that one part's throws don't shift another's. */
export class Dice {
  readonly #generator: RandomGenerator
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
    this.#generator = xoroshiro128plus(seed)
  }

  /** Other dice that depend on this seed and the label only. */
  fork(label: string): Dice {
    return new Dice(createHash('sha256').update(`${this.#seed}/${label}`).digest().readInt32LE(0))
  }

  /** A whole number from `from` to `to`, both included. */
  int(from: number, to: number): number {
    return uniformInt(this.#generator, from, to)
  }

  /** A number in [0, 1). */
  fraction(): number {
    return (this.#generator.next() >>> 0) / 0x1_0000_0000
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count)
    for (let i = 0; i < count; i++) bytes[i] = this.#generator.next() & 0xff
    return bytes
  }
}
