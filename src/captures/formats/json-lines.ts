const QUOTE = 0x22
const BACKSLASH = 0x5c
const ZERO = 0x30
const MINUS = 0x2d
const LF = 0x0a

/** Of a buffer. */
const LEAST_BYTES = 1 << 16
const nothing: Buffer = Buffer.alloc(0)
/** Digits of a number up to 2^53, and its sign. */
const NUMBER_BYTES = 17

/**
 * Lines of JSON, written one after the other into a buffer that grows, without making an object or a string on the way.
 */
export class JsonLines {
  #bytes: Buffer = nothing
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What was written since the last `clear`; valid until the next write. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  /** Pieces of JSON as they are. */
  json(bytes: Uint8Array): void {
    this.copy(bytes, 0, bytes.length)
  }

  text(json: string): void {
    this.#room(json.length * 3)
    this.#length += this.#bytes.write(json, this.#length)
  }

  endLine(): void {
    this.#room(1)
    this.#bytes[this.#length++] = LF
  }

  /** Some bytes of others, as they are. */
  copy(from: Uint8Array, start: number, end: number): void {
    this.#room(end - start)
    const bytes = this.#bytes
    let at = this.#length
    for (let index = start; index < end; index++) bytes[at++] = from[index]!
    this.#length = at
  }

  /** A whole number, as JSON writes it. */
  integer(value: number): void {
    this.#room(NUMBER_BYTES)
    const bytes = this.#bytes
    let rest = value
    if (rest < 0) {
      bytes[this.#length++] = MINUS
      rest = -rest
    }
    let digits = 1
    for (let least = 10; rest >= least; least *= 10) digits++
    let at = this.#length + digits
    this.#length = at
    // Below 2^31 the arithmetic is that of integers.
    while (rest >= 1e9) {
      const high = Math.floor(rest / 1e8)
      let low = rest - high * 1e8
      for (let count = 0; count < 8; count++) {
        const tens = (low / 10) | 0
        bytes[--at] = ZERO + low - tens * 10
        low = tens
      }
      rest = high
    }
    do {
      const tens = (rest / 10) | 0
      bytes[--at] = ZERO + rest - tens * 10
      rest = tens
    } while (rest > 0)
  }

  /** What stands in a string of JSON for some ASCII in which only quotes have to be escaped. */
  quoted(text: Uint8Array): void {
    this.#room(2 * text.length)
    const bytes = this.#bytes
    const { length } = text
    let at = this.#length
    for (let index = 0; index < length; index++) {
      const byte = text[index]!
      if (byte === QUOTE) bytes[at++] = BACKSLASH
      bytes[at++] = byte
    }
    this.#length = at
  }

  #room(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length, LEAST_BYTES))
    this.view().copy(larger)
    this.#bytes = larger
  }
}
