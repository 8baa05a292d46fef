const BRACE = 0x7b
const BRACE_END = 0x7d
const BRACKET = 0x5b
const BRACKET_END = 0x5d
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39

/** What the envelope takes of a message, in the order in which it has it. */
export const fieldNames = ['user', 't', 'exp', 'course', 'hardware', 'type', 'log'] as const

const T = fieldNames.indexOf('t')
const LOG = fieldNames.indexOf('log')
const PAYLOAD = fieldNames.length
const OTHER = -1

interface Key {
  readonly bytes: Buffer
  readonly field: number
}

/** The keys that matter in an object, by their length. */
type Keys = readonly (readonly Key[] | undefined)[]

function keysOf(fields: ReadonlyArray<readonly [name: string, field: number]>): Keys {
  const keys: Key[][] = []
  for (const [name, field] of fields) {
    const same = keys[name.length] ?? []
    same.push({ bytes: Buffer.from(name), field })
    keys[name.length] = same
  }
  return keys
}

const topKeys = keysOf([
  ...fieldNames.map((name, field) => [name, field] as const).filter(([name]) => name !== 'log'),
  ['payload', PAYLOAD]
])
const payloadKeys = keysOf([['log', LOG]])
const noKeys = keysOf([])

/** What may stand in a plain text: ASCII without quotes, escapes and what needs any. */
const isPlain = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0
)
/** Deeper messages are parsed. */
const MOST_DEPTH = 20
/** Digits of a whole number that JSON writes as it came. */
const PLAIN_DIGITS = 15
/** No place after a value: the first byte is always the message's own brace. */
const NOT_PLAIN = 0

/**
 * Recognises messages as nearly all are: one object of JSON as JSON writes it, in ASCII, without escapes and without
 * white space between its tokens, `t` a whole number. In them every field stands as JSON would write it again, so it
 * need not be parsed. Goes over the bytes once.
 */
export class PlainMessage {
  /** Where the values are, of each in the order of `fieldNames`; 0 where there is none of the right type. */
  readonly starts = new Int32Array(fieldNames.length)
  readonly ends = new Int32Array(fieldNames.length)
  #bytes: Buffer = Buffer.alloc(0)

  /** Whether these bytes are one plain message; only then its fields are known. */
  read(bytes: Buffer): boolean {
    this.#bytes = bytes
    this.starts.fill(0)
    return bytes[0] === BRACE && this.#object(0, topKeys, MOST_DEPTH) === bytes.length
  }

  /** The place after the object that begins at `start`; so for every kind of value. */
  #object(start: number, keys: Keys, depth: number): number {
    const bytes = this.#bytes
    let at = start + 1
    if (bytes[at] === BRACE_END) return at + 1
    for (;;) {
      const keyStart = at + 1
      at = this.#text(at)
      if (at === NOT_PLAIN || bytes[at] !== COLON) return NOT_PLAIN
      const field = fieldOf(keys, bytes, keyStart, at - 1)
      at = field === OTHER ? this.#value(at + 1, depth) : this.#field(field, at + 1, depth)
      if (at === NOT_PLAIN) return NOT_PLAIN
      const next = bytes[at++]
      if (next === BRACE_END) return at
      if (next !== COMMA) return NOT_PLAIN
    }
  }

  /** Of fields with the same name the last one counts. */
  #field(field: number, start: number, depth: number): number {
    const first = this.#bytes[start]
    if (field === PAYLOAD) {
      this.starts[LOG] = 0
      return first === BRACE ? this.#object(start, payloadKeys, depth - 1) : this.#value(start, depth)
    }
    const end = this.#value(start, depth)
    const isNumber = first === MINUS || isDigit(first)
    this.starts[field] = (field === T ? isNumber : first === QUOTE) ? start : 0
    this.ends[field] = end
    return field === T && isNumber && !this.#isWhole(start, end) ? NOT_PLAIN : end
  }

  #value(start: number, depth: number): number {
    const first = this.#bytes[start]
    if (first === QUOTE) return this.#text(start)
    if (first === MINUS || isDigit(first)) return this.#number(start)
    if (first === BRACE) return depth > 0 ? this.#object(start, noKeys, depth - 1) : NOT_PLAIN
    if (first === BRACKET) return depth > 0 ? this.#array(start, depth - 1) : NOT_PLAIN
    for (const word of words) if (word[0] === first) return this.#is(word, start) ? start + word.length : NOT_PLAIN
    return NOT_PLAIN
  }

  #array(start: number, depth: number): number {
    const bytes = this.#bytes
    let at = start + 1
    if (bytes[at] === BRACKET_END) return at + 1
    for (;;) {
      at = this.#value(at, depth)
      if (at === NOT_PLAIN) return NOT_PLAIN
      const next = bytes[at++]
      if (next === BRACKET_END) return at
      if (next !== COMMA) return NOT_PLAIN
    }
  }

  #text(start: number): number {
    const bytes = this.#bytes
    if (bytes[start] !== QUOTE) return NOT_PLAIN
    const end = bytes.length
    let at = start + 1
    while (at < end && isPlain[bytes[at]!] === 1) at++
    return bytes[at] === QUOTE ? at + 1 : NOT_PLAIN
  }

  /** As JSON has them, but without exponents. */
  #number(start: number): number {
    const bytes = this.#bytes
    let at = bytes[start] === MINUS ? start + 1 : start
    if (bytes[at] === ZERO) at++
    else at = this.#digits(at)
    if (at !== NOT_PLAIN && bytes[at] === DOT) at = this.#digits(at + 1)
    return at
  }

  /** One digit or more. */
  #digits(start: number): number {
    let at = start
    while (isDigit(this.#bytes[at])) at++
    return at > start ? at : NOT_PLAIN
  }

  /** Whether a number is whole, and JSON would write it as it stands there. */
  #isWhole(start: number, end: number): boolean {
    const bytes = this.#bytes
    const isNegative = bytes[start] === MINUS
    const first = isNegative ? start + 1 : start
    if (end - first > PLAIN_DIGITS || (isNegative && bytes[first] === ZERO)) return false
    return this.#digits(first) === end
  }

  #is(word: Buffer, start: number): boolean {
    for (let index = 0; index < word.length; index++) if (this.#bytes[start + index] !== word[index]) return false
    return true
  }
}

const DOT = 0x2e
const words = ['true', 'false', 'null'].map((word) => Buffer.from(word))

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}

function fieldOf(keys: Keys, bytes: Buffer, start: number, end: number): number {
  const same = keys[end - start]
  if (same === undefined) return OTHER
  for (const { bytes: key, field } of same) {
    let index = 0
    while (index < key.length && bytes[start + index] === key[index]) index++
    if (index === key.length) return field
  }
  return OTHER
}
