import { createHmac } from 'node:crypto'

/** Ids below this length are replaced where they stand alone only: inside of a text they say nothing. */
const MIN_INSIDE = 4
/** Shorter numbers are too often something else. */
const MIN_DIGITS = 6

/**
 * Puts a keyed name in the place of each user's id: `p` and 32 hex digits of its HMAC-SHA-256. The same key gives the
 * same names, always; without it nobody finds the id again.
 */
export class Pseudonyms {
  private readonly key: Buffer
  private readonly kept: ReadonlySet<string>
  private readonly names = new Map<string, string>()
  /** What may stand for an id, with its name, by its first characters; the longest first. */
  private readonly inside = new Map<string, Array<readonly [text: string, name: string]>>()

  /**
   * @param ids of all users there are
   * @param kept words that stay as they are where no user is named, though a user may be called so
   */
  constructor(key: Buffer, ids: Iterable<string>, kept: ReadonlySet<string> = new Set()) {
    this.key = key
    this.kept = kept
    for (const id of ids) {
      const name = this.name(id)
      for (const text of spellings(id)) if (text.length >= MIN_INSIDE && !kept.has(text)) this.note(text, name)
    }
    for (const candidates of this.inside.values()) candidates.sort(([a], [b]) => b.length - a.length)
  }

  /** What a user is called. */
  name(id: string): string {
    let name = this.names.get(id)
    if (name === undefined) {
      name = `p${createHmac('sha256', this.key).update(Buffer.from(id, 'utf16le')).digest('hex').slice(0, 32)}`
      this.names.set(id, name)
    }
    return name
  }

  /** A number, unless it is an id. */
  number(value: number): number | string {
    const digits = String(value)
    return digits.length < MIN_DIGITS ? value : (this.names.get(digits) ?? value)
  }

  /** A text without ids. */
  text(text: string): string {
    if (this.kept.has(text)) return text
    const whole = this.names.get(text)
    if (whole !== undefined) return whole
    let result = ''
    let end = 0
    for (let at = 0; at + MIN_INSIDE <= text.length; at++) {
      const found = this.inside.get(text.slice(at, at + MIN_INSIDE))?.find(([id]) => text.startsWith(id, at))
      // One that reaches beyond another goes too: neither may be left in part.
      if (found === undefined || at + found[0].length <= end) continue
      result += text.slice(end, Math.max(at, end)) + found[1]
      end = at + found[0].length
    }
    return result + text.slice(end)
  }

  private note(text: string, name: string): void {
    const start = text.slice(0, MIN_INSIDE)
    const candidates = this.inside.get(start)
    if (candidates) candidates.push([text, name])
    else this.inside.set(start, [[text, name]])
  }
}

/** How an id may be written inside of another text: as it is, in capitals, in a URL, in JSON inside of a string. */
function spellings(id: string): Set<string> {
  const forms = [id, id.normalize('NFC'), id.normalize('NFD'), id.toLowerCase(), id.toUpperCase()]
  return new Set(forms.flatMap((form) => [form, inUrl(form), inJson(form), ascii(form), ascii(form).toLowerCase()]))
}

function inUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function ascii(text: string): string {
  return inJson(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
