/**
 * A strict JSON recogniser on bytes: finds where the object or array that starts at a place ends, if one does. What it
 * accepts is exactly what JSON.parse accepts of those bytes decoded as UTF-8 (a property test holds the two together).
 */

export const BRACE = 0x7b
export const BRACKET = 0x5b
const BRACE_END = 0x7d
const BRACKET_END = 0x5d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const PLUS = 0x2b
const DOT = 0x2e
const ZERO = 0x30

/** What the grammar asks for next. */
const VALUE = 0
const VALUE_OR_END = 1
const KEY = 2
const KEY_OR_END = 3
const NAME_END = 4
const NEXT_OR_END = 5

const ESCAPES = new Set(Buffer.from('"\\/bfnrt'))
const LITERALS = ['true', 'false', 'null'].map((word) => Buffer.from(word))

export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= 0x39
}

function isHex(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
}

export class Scanner {
  /** Bytes looked at so far, for tests of the bound that `split` promises. */
  scannedBytes = 0
  readonly #frame: Buffer
  /** Where the scan is; after a failure, the first byte that does not fit. */
  #at = 0
  /** The starts of the containers that are open, as many as the depth says. */
  readonly #open: number[] = []
  #depth = 0

  constructor(frame: Buffer) {
    this.#frame = frame
  }

  /**
   * The end of the object or array that starts at `start`, or 0 when no complete one does. `ends`, if given, is told
   * what was learnt on the way of every container met: its end, or -1 when it fails together with this one.
   */
  end(start: number, ends?: Int32Array): number {
    this.#at = start
    this.#depth = 0
    const found = this.#scan(ends)
    this.scannedBytes += this.#at - start + 1
    if (!found && ends) for (let i = 0; i < this.#depth; i++) ends[this.#open[i]!] = -1
    return found ? this.#at : 0
  }

  #scan(ends: Int32Array | undefined): boolean {
    const frame = this.#frame
    let expected = VALUE
    for (; this.#at < frame.length; ) {
      const byte = frame[this.#at]!
      if (isSpace(byte)) {
        this.#at++
      } else if (expected === NAME_END) {
        if (byte !== COLON) return false
        this.#at++
        expected = VALUE
      } else if (expected === NEXT_OR_END && byte === COMMA) {
        this.#at++
        expected = frame[this.#open[this.#depth - 1]!] === BRACE ? KEY : VALUE
      } else if (byte === BRACE_END || byte === BRACKET_END) {
        const start = this.#open[this.#depth - 1]!
        const first = byte === BRACE_END ? KEY_OR_END : VALUE_OR_END
        if (expected !== first && (expected !== NEXT_OR_END || frame[start] !== byte - 2)) return false
        this.#at++
        this.#depth--
        if (ends) ends[start] = this.#at
        if (this.#depth === 0) return true
        expected = NEXT_OR_END
      } else if (expected === KEY || expected === KEY_OR_END) {
        if (byte !== QUOTE || !this.#string()) return false
        expected = NAME_END
      } else if (expected === NEXT_OR_END) {
        return false
      } else if (byte === BRACE || byte === BRACKET) {
        this.#push()
        expected = byte === BRACE ? KEY_OR_END : VALUE_OR_END
      } else {
        if (!(byte === QUOTE ? this.#string() : this.#scalar(byte))) return false
        expected = NEXT_OR_END
      }
    }
    return false
  }

  #push(): void {
    this.#open[this.#depth++] = this.#at++
  }

  /** From a quote to past the quote that ends it. */
  #string(): boolean {
    const frame = this.#frame
    let at = this.#at + 1
    for (; at < frame.length; at++) {
      const byte = frame[at]!
      if (byte === QUOTE) {
        this.#at = at + 1
        return true
      }
      if (byte < 0x20) break
      if (byte !== BACKSLASH) continue
      at++
      if (frame[at] === 0x75) {
        for (let digits = 0; digits < 4; digits++) {
          if (!isHex(frame[at + 1])) {
            this.#at = at + 1
            return false
          }
          at++
        }
      } else if (!ESCAPES.has(frame[at]!)) break
    }
    this.#at = at
    return false
  }

  #scalar(byte: number): boolean {
    if (byte === MINUS || isDigit(byte)) return this.#number()
    const frame = this.#frame
    const word = LITERALS.find((literal) => literal[0] === byte)
    if (!word?.equals(frame.subarray(this.#at, this.#at + word.length))) return false
    this.#at += word.length
    return true
  }

  #number(): boolean {
    const frame = this.#frame
    if (frame[this.#at] === MINUS) this.#at++
    if (frame[this.#at] === ZERO) this.#at++
    else if (!this.#digits()) return false
    if (frame[this.#at] === DOT) {
      this.#at++
      if (!this.#digits()) return false
    }
    if (frame[this.#at] === 0x65 || frame[this.#at] === 0x45) {
      this.#at++
      if (frame[this.#at] === PLUS || frame[this.#at] === MINUS) this.#at++
      return this.#digits()
    }
    return true
  }

  /** One digit or more. */
  #digits(): boolean {
    const first = this.#at
    while (isDigit(this.#frame[this.#at])) this.#at++
    return this.#at > first
  }
}
