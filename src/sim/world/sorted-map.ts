import type { Range } from '../../world/stores.ts'

type Pair = readonly [key: Buffer, value: Buffer]

/** Pairs in the order of their keys' bytes, made for keys that mostly rise. */
export class SortedMap {
  #keys: Buffer[] = []
  #values: Buffer[] = []
  /** A range that is still being read holds the arrays. */
  #shared = false
  /** Of all keys and values. */
  bytes = 0

  get(key: Uint8Array): Buffer | undefined {
    const at = this.#lowerBound(key)
    return this.#is(at, key) ? this.#values[at] : undefined
  }

  put(key: Buffer, value: Buffer): void {
    const at = this.#lowerBound(key)
    this.bytes += value.length
    if (at === this.#keys.length) {
      // Not seen by a range being read, which ends where the arrays ended.
      this.#keys.push(key)
      this.#values.push(value)
      this.bytes += key.length
      return
    }
    this.#own()
    if (this.#is(at, key)) {
      this.bytes -= this.#values[at]!.length
      this.#values[at] = value
      return
    }
    this.bytes += key.length
    this.#keys.splice(at, 0, key)
    this.#values.splice(at, 0, value)
  }

  delete(key: Buffer): void {
    const at = this.#lowerBound(key)
    if (!this.#is(at, key)) return
    this.#own()
    this.bytes -= key.length + this.#values[at]!.length
    this.#keys.splice(at, 1)
    this.#values.splice(at, 1)
  }

  /** The pairs of a range as they are now, whatever is changed while they are read. */
  range(range: Range): Generator<Pair> {
    const keys = this.#keys
    const values = this.#values
    const from = range.gt ? this.#upperBound(range.gt) : range.gte ? this.#lowerBound(range.gte) : 0
    const to = range.lt ? this.#lowerBound(range.lt) : range.lte ? this.#upperBound(range.lte) : keys.length
    this.#shared = true
    return walk(keys, values, from, to, range)
  }

  #own(): void {
    if (!this.#shared) return
    this.#keys = [...this.#keys]
    this.#values = [...this.#values]
    this.#shared = false
  }

  #is(at: number, key: Uint8Array): boolean {
    return at < this.#keys.length && Buffer.compare(this.#keys[at]!, key) === 0
  }

  #lowerBound(key: Uint8Array): number {
    const last = this.#keys.at(-1)
    if (!last || Buffer.compare(last, key) < 0) return this.#keys.length
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (Buffer.compare(this.#keys[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #upperBound(key: Uint8Array): number {
    const at = this.#lowerBound(key)
    return this.#is(at, key) ? at + 1 : at
  }
}

function* walk(keys: Buffer[], values: Buffer[], from: number, to: number, range: Range): Generator<Pair> {
  const count = Math.min(Math.max(0, to - from), range.limit !== undefined && range.limit >= 0 ? range.limit : to)
  for (let i = 0; i < count; i++) {
    const at = range.reverse ? to - 1 - i : from + i
    yield [keys[at]!, values[at]!]
  }
}
