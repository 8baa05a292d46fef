import type { Cron } from 'croner'
import { cronOnWall } from '../config/cron.ts'
import type { Ms, Us } from '../world/time.ts'
import { type WallMs, Zone } from './zone.ts'

/** A stretch of time that a capture covers; `toUs` exclusive. */
export interface Window {
  readonly fromUs: Us
  readonly toUs: Us
  /** What its folder is called: `2026-03-29`, or `2026-03-29T0230` for one shorter than a day or of several a day. */
  readonly label: string
}

/** The windows that hold every instant from one to before another. */
interface Held {
  readonly fromUs: Us
  readonly toUs: Us
  readonly windows: readonly Window[]
}

const DAY_MS = 86_400_000
/** So many answers are remembered: windows of ten minutes of more than a day. */
const ANSWERS = 200
/** So many of what holds an instant: now, where a capture began, and what is gone through. */
const HELD = 4
/** How many windows are looked at for one that has ended. */
const FAR_BACK = 10_000

/**
 * The windows of a capture. Expression and duration are understood on the wall's clock: croner is asked as if the zone
 * were UTC, and the zone's rules come in where a time on the wall becomes an instant. So a day is from midnight to
 * midnight, 23 or 25 h long where the clock changes; a time that does not exist on such a day is the next minute that
 * does, and one that occurs twice counts the first time only, its window lasting through both.
 */
export class Schedule {
  readonly expression: string
  readonly durationMs: Ms
  readonly zone: Zone
  readonly #cron: Cron
  readonly #dated: boolean
  /** The last answers of `after`, and from when on each is the same: croner takes its time. */
  readonly #answers: Array<{ readonly fromUs: Us; readonly window: Window }> = []
  /** The last answers of `holding`. */
  readonly #held: Held[] = []

  /** @param durationMs on the wall's clock */
  constructor(expression: string, durationMs: Ms, timeZone: string) {
    this.expression = expression
    this.durationMs = durationMs
    this.zone = new Zone(timeZone)
    this.#cron = cronOnWall(expression)
    const onceADay = expression
      .trim()
      .split(/\s+/, 2)
      .every((field) => /^\d+$/.test(field))
    this.#dated = onceADay && durationMs >= DAY_MS
  }

  /** The first window that begins after an instant. */
  after(atUs: Us): Window | undefined {
    const known = this.#answers.find(({ fromUs, window }) => atUs >= fromUs && atUs < window.fromUs)
    if (known) return known.window
    const window = this.#computeAfter(atUs)
    if (window) this.#answers.unshift({ fromUs: atUs, window })
    this.#answers.length = Math.min(this.#answers.length, ANSWERS)
    return window
  }

  #computeAfter(atUs: Us): Window | undefined {
    let wallMs = this.zone.wallMs(atUs)
    for (;;) {
      const next = this.#cron.nextRun(new Date(wallMs))?.getTime()
      if (next === undefined) return undefined
      if (this.zone.instantUs(next) > atUs) return this.#window(next)
      wallMs = next
    }
  }

  /** The windows that hold an instant, in order; again and again the same list as long as they are the same. */
  holding(atUs: Us): readonly Window[] {
    const known = this.#held.find(({ fromUs, toUs }) => atUs >= fromUs && atUs < toUs)
    if (known) return known.windows
    const held = this.#computeHolding(atUs)
    this.#held.unshift(held)
    this.#held.length = Math.min(this.#held.length, HELD)
    return held.windows
  }

  #computeHolding(atUs: Us): Held {
    const windows: Window[] = []
    const wallMs = this.zone.wallMs(atUs)
    // What begins before this has ended a day before the instant, give or take a change of the clock: of half a day nothing
    // is said that such a one could hold.
    let window = this.after(this.zone.instantUs(wallMs - this.durationMs - DAY_MS) - 1)
    let fromUs = this.zone.instantUs(wallMs - DAY_MS / 2)
    let toUs = Number.MAX_SAFE_INTEGER
    for (; window && window.fromUs <= atUs; window = this.after(window.fromUs)) {
      const isOver = window.toUs <= atUs
      fromUs = Math.max(fromUs, isOver ? window.toUs : window.fromUs)
      if (isOver) continue
      windows.push(window)
      toUs = Math.min(toUs, window.toUs)
    }
    return { fromUs, toUs: Math.min(toUs, window?.fromUs ?? toUs), windows }
  }

  /** The last window that has ended by an instant. */
  endedBy(atUs: Us): Window | undefined {
    // Where the clock was set back, a window that has begun may bear a later time on the wall.
    let wallMs = this.zone.wallMs(atUs) + DAY_MS
    for (let looked = 0; looked < FAR_BACK; looked++) {
      const before = this.#cron.previousRuns(1, new Date(wallMs))[0]?.getTime()
      if (before === undefined) return undefined
      const window = this.#window(before)
      if (window.toUs <= atUs) return window
      wallMs = before
    }
    return undefined
  }

  #window(scheduledMs: WallMs): Window {
    const fromUs = this.zone.instantUs(scheduledMs)
    const startMs = this.zone.wallMs(fromUs)
    // Of several times that the clock leaves out together, the last is the one that goes on without an overlap.
    let lastMs = scheduledMs
    for (let next = this.#cron.nextRun(new Date(lastMs)); next && next.getTime() <= startMs; ) {
      lastMs = next.getTime()
      next = this.#cron.nextRun(next)
    }
    const toUs = this.zone.instantUs(lastMs + this.durationMs)
    const label = new Date(startMs).toISOString()
    return {
      fromUs,
      toUs: toUs > fromUs ? toUs : this.zone.instantUs(startMs + this.durationMs),
      label: this.#dated ? label.slice(0, 10) : `${label.slice(0, 13)}${label.slice(14, 16)}`
    }
  }
}
