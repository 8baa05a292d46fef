import type { Us } from '../world/time.ts'
import type { EventEntry, Frame, Position } from './entry.ts'
import type { Positions } from './reading.ts'

interface Anchor {
  readonly monoUs: Us
  readonly offsetUs: Us
}

interface Boot {
  readonly firstUs: Us
  /** As far as events tell. */
  readonly lastUs: Us
  /** From stamps made while the clock was held to be right, in order; none in a boot that never knew the time. */
  readonly anchors: readonly Anchor[]
  /** As the clock itself said last. */
  readonly ownOffsetUs: Us
}

/** Entries made while the clock was not held to be right, all of one boot and between two of its steps. */
interface Blind {
  readonly boot: string
  /** As the clock said. */
  readonly offsetUs: Us
  readonly from: Position
  /** Exclusive; absent while it lasts. */
  readonly to?: Position
  /** Monotonic time. */
  readonly fromUs: Us
  /** Exclusive; absent when the boot ends with it. */
  readonly toUs?: Us
}

/** Imported frames of one boot, and what its clock said minus the time that they are filed under. */
interface Imported extends Positions {
  readonly boot: string
  readonly offsetUs: Us
  readonly timeUncertain?: true
}

/** How far a clock may go from its offset at the last event without another one. */
const SLACK_US = 1_000_000
/** Less is not a step, see timekeeper.ts. */
const STEP_US = 100_000

/** Where entries of a period may lie whose time is not the recorded one: positions, and the times recorded there. */
export interface BlindSpan extends Positions, Stretch {}

/** Entries of a time that came to be known only after it: `to` is exclusive, `fromUs` when it began, as far as is known now. */
export interface KnownLate {
  readonly to: Position
  readonly fromUs: Us
}

/** A stretch of wall time, `toUs` exclusive. */
export interface Stretch {
  readonly fromUs: Us
  readonly toUs: Us
}

/**
 * Turns (boot, monotonic time) into wall time, from the stamps of the events on record: by the last stamp before it
 * that was made while the clock was held to be right, else by the first one after it in the same boot. A boot that never
 * knew the time has one offset, the one its clock had last, moved as little as is needed to put it between the boots
 * before and after it.
 */
export class Timeline {
  /** In order of position. */
  readonly #boots = new Map<string, Boot>()
  readonly #blind: Blind[] = []
  /** In order of their beginnings. An import that was cut off has left one that reaches too far: the next one counts. */
  readonly #imported: Imported[] = []
  /** Offsets of the boots that never knew the time. */
  #guesses: ReadonlyMap<string, Us> | undefined

  copy(): Timeline {
    const copy = new Timeline()
    for (const [id, boot] of this.#boots) copy.#boots.set(id, boot)
    for (const blind of this.#blind) copy.#blind.push(blind)
    for (const imported of this.#imported) copy.#imported.push(imported)
    return copy
  }

  /** Takes events in order of position. */
  learn({ boot: id, monoUs, wallUs, source, position, event }: Omit<EventEntry, 'kind' | 'payload'>): void {
    this.#guesses = undefined
    const right = source !== 'none'
    const anchor = { monoUs, offsetUs: wallUs - monoUs }
    this.#followBlind(id, position, anchor, right)
    const boot = this.#boots.get(id) ?? { firstUs: monoUs, lastUs: monoUs, anchors: [], ownOffsetUs: anchor.offsetUs }
    const news = right && boot.anchors.at(-1)?.offsetUs !== anchor.offsetUs
    this.#boots.set(id, {
      firstUs: boot.firstUs,
      lastUs: Math.max(boot.lastUs, monoUs),
      anchors: news ? [...boot.anchors, anchor] : boot.anchors,
      ownOffsetUs: anchor.offsetUs
    })
    if (event.event === 'imported') {
      const { event: _, frames, ...clock } = event
      this.#imported.push({ ...clock, from: position + 1, to: position + 1 + frames })
    }
    // What is noted at a start of the time before it says how long that lasted.
    const earlier = event.event === 'gap' && event.boot !== id ? this.#boots.get(event.boot) : undefined
    if (event.event === 'gap' && earlier) {
      this.#boots.set(event.boot, { ...earlier, lastUs: Math.max(earlier.lastUs, event.sinceUs) })
    }
  }

  /** Whether the time in a boot is known, and not only bounded by what is known of others. */
  knows(boot: string): boolean {
    return (this.#boots.get(boot)?.anchors.length ?? 0) > 0
  }

  wallUs(boot: string, monoUs: Us): Us {
    const anchors = this.#anchors(boot)
    if (anchors.length === 0) return monoUs + (this.#guessed().get(boot) ?? 0)
    return monoUs + anchors[Math.max(0, firstAfter(anchors, monoUs) - 1)]!.offsetUs
  }

  /** The wall time of a stretch of monotonic time: more than one where the clock stepped in it, without gaps between. */
  stretches(boot: string, fromUs: Us, toUs: Us): Stretch[] {
    const anchors = this.#anchors(boot)
    const cuts = anchors
      .slice(Math.max(1, firstAfter(anchors, fromUs)), firstAfter(anchors, toUs))
      .map(({ monoUs }) => monoUs)
    const starts = [fromUs, ...cuts]
    return starts.map((start, index) => {
      const end = starts[index + 1] ?? toUs
      const startUs = this.wallUs(boot, start)
      // Where the clock stepped forward, the time it left out has not happened: nothing was missed in it.
      return { fromUs: startUs, toUs: Math.max(startUs + end - start, this.wallUs(boot, end)) }
    })
  }

  /** The frame with its true time, where the clock was not held to be right when it was recorded. */
  correct(frame: Frame): Frame {
    if (frame.origin === 'import') return this.#correctImported(frame)
    if (frame.source !== 'none') return frame
    const blind = lastFrom(this.#blind, frame.position)
    if (blind?.boot !== frame.boot) return frame
    const trueUs = this.#wallIn(blind, frame.monoUs)
    return this.knows(frame.boot) ? { ...frame, trueUs } : { ...frame, trueUs, timeUncertain: true }
  }

  /** Whether some of these positions, `to` exclusive, may hold entries whose true time is another than the recorded one. */
  mayCorrect(from: Position, to: Position): boolean {
    return this.#blind.some((blind) => blind.from < to && (blind.to ?? Number.MAX_SAFE_INTEGER) > from)
  }

  /** What ended at this position or later, and was recorded before the time was known in its boot. */
  knownLate(from: Position): KnownLate[] {
    return this.#blind.flatMap(({ boot, to, fromUs }) => {
      if (to === undefined || to < from) return []
      const [first] = this.#anchors(boot)
      return first && first.monoUs <= fromUs ? [] : [{ to, fromUs: this.wallUs(boot, fromUs) }]
    })
  }

  /** Where to look for entries of a period besides where it was recorded. */
  blindIn(fromUs: Us, toUs: Us): BlindSpan[] {
    const spans: BlindSpan[] = []
    for (const blind of this.#blind) {
      const firstUs = this.#wallIn(blind, Number.MIN_SAFE_INTEGER)
      const lastUs = this.#wallIn(blind, Number.MAX_SAFE_INTEGER)
      if (firstUs >= toUs || lastUs < fromUs) continue
      const recordedUs = blind.fromUs + blind.offsetUs - firstUs
      spans.push({
        from: blind.from,
        to: blind.to ?? Number.MAX_SAFE_INTEGER,
        fromUs: fromUs <= firstUs ? Number.MIN_SAFE_INTEGER : fromUs + recordedUs - SLACK_US,
        toUs: toUs > lastUs ? Number.MAX_SAFE_INTEGER : toUs + recordedUs + SLACK_US
      })
    }
    return spans
  }

  #followBlind(boot: string, position: Position, { monoUs, offsetUs }: Anchor, right: boolean): void {
    const last = this.#blind.at(-1)
    const open = last && last.to === undefined ? last : undefined
    const goesOn = open?.boot === boot && !right && Math.abs(offsetUs - open.offsetUs) <= STEP_US
    if (goesOn) return
    if (open) {
      this.#blind.pop()
      this.#blind.push({ ...open, to: position, ...(open.boot === boot && { toUs: monoUs }) })
    }
    if (!right) this.#blind.push({ boot, offsetUs, from: position, fromUs: monoUs })
  }

  #correctImported(frame: Frame): Frame {
    const imported = lastFrom(this.#imported, frame.position)
    if (imported?.boot !== frame.boot) return frame
    const { wallUs } = frame
    const corrected = { ...frame, wallUs: wallUs + imported.offsetUs, trueUs: wallUs }
    return imported.timeUncertain ? { ...corrected, timeUncertain: true } : corrected
  }

  /** Wall time of monotonic time, which is brought into what the entries there can have. */
  #wallIn({ boot, to, fromUs, toUs }: Blind, monoUs: Us): Us {
    // Nothing says how far the present boot will come.
    if (to === undefined && monoUs === Number.MAX_SAFE_INTEGER) return monoUs
    const last = to === undefined ? monoUs : toUs === undefined ? this.#boots.get(boot)!.lastUs : toUs - 1
    return this.wallUs(boot, Math.max(fromUs, Math.min(monoUs, last)))
  }

  #anchors(boot: string): readonly Anchor[] {
    return this.#boots.get(boot)?.anchors ?? []
  }

  #guessed(): ReadonlyMap<string, Us> {
    this.#guesses ??= guess(this.#boots)
    return this.#guesses
  }
}

/** Offsets for the boots that never knew the time. */
function guess(boots: ReadonlyMap<string, Boot>): ReadonlyMap<string, Us> {
  /** When each has to have ended. */
  const ends = new Map<string, Us>()
  let nextUs = Number.POSITIVE_INFINITY
  for (const [id, { anchors, firstUs, lastUs }] of [...boots].reverse()) {
    ends.set(id, nextUs)
    nextUs = anchors[0] ? firstUs + anchors[0].offsetUs : nextUs - (lastUs - firstUs)
  }
  const guesses = new Map<string, Us>()
  let previousUs = Number.NEGATIVE_INFINITY
  for (const [id, { anchors, firstUs, lastUs, ownOffsetUs }] of boots) {
    let offsetUs = anchors.at(-1)?.offsetUs
    if (offsetUs === undefined) {
      offsetUs = Math.max(previousUs - firstUs, Math.min(ownOffsetUs, ends.get(id)! - lastUs))
      guesses.set(id, offsetUs)
    }
    previousUs = lastUs + offsetUs
  }
  return guesses
}

/** The last of some that begin in order, if it reaches to a position. */
function lastFrom<T extends { readonly from: Position; readonly to?: Position }>(
  some: readonly T[],
  position: Position
): T | undefined {
  let low = 0
  let high = some.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (some[middle]!.from <= position) low = middle + 1
    else high = middle
  }
  const last = some[low - 1]
  return last && position < (last.to ?? Number.MAX_SAFE_INTEGER) ? last : undefined
}

/** The first place of an anchor after `monoUs`. */
function firstAfter(anchors: readonly Anchor[], monoUs: Us): number {
  let low = 0
  let high = anchors.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (anchors[middle]!.monoUs <= monoUs) low = middle + 1
    else high = middle
  }
  return low
}
