import type { Us } from '../world/time.ts'

/** What a clock on the wall shows, in ms counted as if it were UTC: days of 24 h, whatever the zone does. */
export type WallMs = number

const DAY_US = 86_400_000_000
const MINUTE_US = 60_000_000

/** The rules of a time zone: which instant the wall's clock shows when. */
export class Zone {
  readonly name: string
  readonly #format: Intl.DateTimeFormat
  /** Offsets by the quarter of an hour they hold in: no zone changes within one. */
  readonly #offsets = new Map<number, Us>()

  /** @throws RangeError for a name that is no zone's */
  constructor(name: string) {
    this.name = name
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric'
    })
  }

  wallMs(atUs: Us): WallMs {
    return Math.floor((atUs + this.#offsetUs(atUs)) / 1000)
  }

  /**
   * When the wall's clock first shows a time. One that a change of the clock leaves out is taken for the first minute
   * after it.
   */
  instantUs(wallMs: WallMs): Us {
    const asUtcUs = wallMs * 1000
    const offsets = [this.#offsetUs(asUtcUs - DAY_US), this.#offsetUs(asUtcUs + DAY_US)]
    const fitting = offsets.filter((offsetUs) => this.#offsetUs(asUtcUs - offsetUs) === offsetUs)
    if (fitting.length > 0) return asUtcUs - Math.max(...fitting)
    let before = asUtcUs - Math.max(...offsets)
    let after = asUtcUs - Math.min(...offsets)
    // The change lies between: it is where the wall's clock passes the time.
    while (after - before > MINUTE_US) {
      const middle = before + Math.floor((after - before) / 2 / MINUTE_US) * MINUTE_US
      if (middle + this.#offsetUs(middle) > asUtcUs) after = middle
      else before = middle
    }
    return after
  }

  /** ISO 8601 with the zone's offset, to the µs where there are any: `2026-03-29T00:00:00+00:00`. */
  iso(atUs: Us): string {
    const offsetMinutes = Math.round(this.#offsetUs(atUs) / MINUTE_US)
    const wall = new Date(this.wallMs(atUs)).toISOString()
    const micros = ((atUs % 1_000_000) + 1_000_000) % 1_000_000
    const fraction = micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`
    const size = Math.abs(offsetMinutes)
    const offset = `${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`
    return `${wall.slice(0, 19)}${fraction}${offsetMinutes < 0 ? '-' : '+'}${offset}`
  }

  /** The day on the wall's calendar: `2026-03-29`. */
  date(atUs: Us): string {
    return new Date(this.wallMs(atUs)).toISOString().slice(0, 'YYYY-MM-DD'.length)
  }

  #offsetUs(atUs: Us): Us {
    const quarter = Math.floor(atUs / (15 * MINUTE_US))
    const known = this.#offsets.get(quarter)
    if (known !== undefined) return known
    const atMs = quarter * 15 * 60_000
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
    for (const { type, value } of this.#format.formatToParts(atMs)) part[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
    const offsetUs = (Date.UTC(year, month - 1, day, hour, minute, second) - atMs) * 1000
    if (this.#offsets.size > 10_000) this.#offsets.clear()
    this.#offsets.set(quarter, offsetUs)
    return offsetUs
  }
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}
