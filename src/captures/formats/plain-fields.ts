import { BRACE, BRACKET, isSpace } from '../../relay/scanner.ts'

const BRACE_END = 0x7d
const BRACKET_END = 0x5d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39

/** What the envelope takes of a message, in the order in which it has it. */
export const fieldNames = ['user', 't', 'exp', 'course', 'hardware', 'type', 'log'] as const

const LOG = fieldNames.indexOf('log')
const T = fieldNames.indexOf('t')
const PAYLOAD = fieldNames.length
const OTHER = -1

const topKeys = [...fieldNames.map((name, field) => ({ name, field })), { name: 'payload', field: PAYLOAD }]
  .filter(({ field }) => field !== LOG)
  .map(({ name, field }) => ({ bytes: Buffer.from(name), field }))
const payloadKeys = [{ bytes: Buffer.from('log'), field: LOG }]

/** Digits of a whole number that JSON writes as it came. */
const PLAIN_DIGITS = 15

/**
 * Finds the fields of a message in its bytes, without parsing it, where they are plain: no escapes in keys and values,
 * and `t` a whole number. Then each is, as it stands there, what JSON would write of it.
 */
export class PlainFields {
  /** Where the values are, of each in the order of `fieldNames`; 0 where there is none of the right type. */
  readonly starts = new Int32Array(fieldNames.length)
  readonly ends = new Int32Array(fieldNames.length)
  #bytes: Uint8Array = new Uint8Array()
  #at = 0

  /**
   * @param start where a message begins that is known to be JSON
   * @returns whether the fields are plain; otherwise nothing was found out
   */
  find(bytes: Uint8Array, start: number): boolean {
    this.#bytes = bytes
    this.#at = start
    this.starts.fill(0)
    this.#space()
    return bytes[this.#at] !== BRACE || this.#members(topKeys)
  }

  /** From the brace that begins an object to past the one that ends it. */
  #members(keys: typeof topKeys): boolean {
    const bytes = this.#bytes
    this.#at++
    for (;;) {
      this.#space()
      const first = bytes[this.#at]!
      if (first === BRACE_END) {
        this.#at++
        return true
      }
      if (first === COMMA) {
        this.#at++
        this.#space()
      }
      const keyStart = this.#at + 1
      if (!this.#string()) return false
      const field = fieldOf(keys, bytes, keyStart, this.#at - 1)
      this.#space()
      // Past the colon, which is there.
      this.#at++
      this.#space()
      if (field === OTHER) this.#skip()
      else if (!this.#take(field)) return false
    }
  }

  /** A value that is asked for; the last one of a name counts. */
  #take(field: number): boolean {
    const bytes = this.#bytes
    const start = this.#at
    const first = bytes[start]!
    if (field === PAYLOAD) {
      this.starts[LOG] = 0
      if (first === BRACE) return this.#members(payloadKeys)
      this.#skip()
      return true
    }
    this.starts[field] = 0
    if (field === T) {
      this.#skip()
      if (first !== MINUS && !isDigit(first)) return true
      if (!this.#isPlainNumber(start)) return false
    } else if (first === QUOTE) {
      if (!this.#string()) return false
    } else {
      this.#skip()
      return true
    }
    this.starts[field] = start
    this.ends[field] = this.#at
    return true
  }

  /** Whether what was skipped from `start` on is a whole number as JSON would write it. */
  #isPlainNumber(start: number): boolean {
    const bytes = this.#bytes
    const end = this.#at
    const first = bytes[start] === MINUS ? start + 1 : start
    if (end - first > PLAIN_DIGITS || (bytes[first] === ZERO && first > start)) return false
    for (let at = first; at < end; at++) if (!isDigit(bytes[at]!)) return false
    return true
  }

  /** From a quote to past the one that ends it; false where there is an escape in between. */
  #string(): boolean {
    const bytes = this.#bytes
    let at = this.#at + 1
    while (bytes[at] !== QUOTE) if (bytes[at++] === BACKSLASH) return false
    this.#at = at + 1
    return true
  }

  /** Past a value. */
  #skip(): void {
    const bytes = this.#bytes
    let at = this.#at
    let depth = 0
    for (; ; at++) {
      const byte = bytes[at]!
      if (byte === QUOTE) {
        at++
        for (; bytes[at] !== QUOTE; at++) if (bytes[at] === BACKSLASH) at++
        if (depth === 0) {
          at++
          break
        }
      } else if (byte === BRACE || byte === BRACKET) {
        depth++
      } else if (byte === BRACE_END || byte === BRACKET_END) {
        if (depth === 0) break
        if (--depth === 0) {
          at++
          break
        }
      } else if (depth === 0 && (byte === COMMA || isSpace(byte))) {
        break
      }
    }
    this.#at = at
  }

  #space(): void {
    while (isSpace(this.#bytes[this.#at])) this.#at++
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

function fieldOf(keys: typeof topKeys, bytes: Uint8Array, start: number, end: number): number {
  for (const { bytes: key, field } of keys) {
    if (key.length !== end - start) continue
    let index = 0
    while (index < key.length && bytes[start + index] === key[index]) index++
    if (index === key.length) return field
  }
  return OTHER
}
