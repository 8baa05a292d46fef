import type { Entry, Position } from '../../src/journal/entry.ts'
import type { Place } from '../../src/journal/reading.ts'
import type { Disk } from '../../src/sim/world/disk.ts'
import type { Simulation } from '../../src/sim/world/simulation.ts'
import type { Us } from '../../src/world/time.ts'
import type { Plan } from './plan.ts'

/** What retention says in the log of something that it has removed. */
export interface Removed {
  readonly store: number
  readonly what: 'store' | 'set aside'
  readonly fromPosition: Position
  readonly toPosition: Position
  readonly bytes: number
  readonly confirmed: boolean
  readonly pinned: boolean
  readonly reason: 'min_free' | 'max_size' | 'max_age'
}

/** How it is when something is removed. */
interface Around {
  readonly disk: Disk
  /** Whether nothing has changed about the disk since it was looked at. */
  readonly calm: boolean
  /** Before it the removal cannot be on record. */
  readonly nextPosition: Position
  /** All that hold what they have not read. */
  readonly readers: readonly string[]
}

/** At least, and at most: what was asked for may not have come about, and who removes may have looked before it had. */
interface Between {
  least: Position
  most: Position
}

/** What is on the disk for a moment besides the journal, and what else comes until it is looked after again. */
const SLACK_BYTES = 100_000
/** Who removes something has seen what was so this long before. */
const SEEN_US: Us = 60_000_000

/**
 * Watches over what is removed to make room: in the declared order, not without need, each removal on record, with the
 * truth about who still needed it.
 */
export class Room {
  /** Everything before this position was removed. */
  removedTo: Position = 1
  readonly #plan: Plan
  readonly #broke: (what: string) => void
  readonly #simulation: Simulation
  readonly #confirmed: Between = { least: 1, most: 1 }
  /** What each reader needs, from there on. */
  readonly #needed = new Map<string, Between>()
  /** Stores of which the damaged original lies aside although it has been salvaged, and since when. */
  readonly #salvaged = new Map<number, Us>()
  /** The removals that were told of, and from where on they are on record. */
  readonly #told = new Map<string, Position>()
  readonly #onRecord = new Set<string>()

  constructor(simulation: Simulation, plan: Plan, broke: (what: string) => void) {
    this.#simulation = simulation
    this.#plan = plan
    this.#broke = broke
  }

  /** Whether anything may be removed at all. */
  get isLimited(): boolean {
    const { maxBytes, minFreeBytes, maxAgeMs } = this.#plan
    return maxBytes !== undefined || minFreeBytes > 0 || maxAgeMs !== undefined
  }

  confirms(position: Position): void {
    this.#confirmed.most = Math.max(this.#confirmed.most, position)
  }

  confirmed(position: Position): void {
    this.#rises(this.#confirmed, position)
  }

  /** A reader is about to keep its place. */
  keeps(reader: string, place: Place): void {
    const needed = this.#needed.get(reader)
    const from = neededFrom(place)
    // One whose own store was lost begins anew, and one that passes something over needs it again.
    if (needed && from >= needed.most) needed.most = from
    else this.#needed.set(reader, { least: Math.min(needed?.least ?? from, from), most: needed?.most ?? from })
  }

  kept(reader: string, place: Place): void {
    this.#rises(this.#needed.get(reader)!, neededFrom(place))
  }

  #rises(between: Between, least: Position): void {
    this.#simulation.schedule(SEEN_US, () => {
      between.least = Math.max(between.least, least)
    })
  }

  salvaged(store: number): void {
    this.#salvaged.set(store, this.#simulation.nowUs)
  }

  sees(entry: Entry): void {
    if (entry.kind === 'event' && entry.event.event === 'removed') this.#onRecord.add(keyOf(entry.event))
  }

  removed(removed: Removed, { disk, calm, nextPosition, readers }: Around): void {
    const { store, what, fromPosition, toPosition, bytes, reason } = removed
    const it = `${what} ${store} (${reason})`
    this.#told.set(keyOf(removed), nextPosition)
    this.#salvaged.delete(store)
    this.#checkNeed(
      removed,
      it,
      readers.every((reader) => this.#needed.has(reader))
    )
    if (calm && reason === 'min_free' && disk.freeBytes - bytes > this.#plan.minFreeBytes + SLACK_BYTES) {
      this.#broke(`${it} was removed with ${disk.freeBytes - bytes} bytes free`)
    }
    if (what === 'set aside') return
    const needed = !removed.confirmed || removed.pinned
    if (needed && reason === 'max_age') this.#broke(`${it} was removed for its age although it is needed`)
    const before = [...this.#salvaged].find(([, sinceUs]) => sinceUs < this.#simulation.nowUs - SEEN_US)
    if (needed && before) this.#broke(`${it} was removed before what lies aside of the salvaged store ${before[0]}`)
    if (fromPosition < this.removedTo) this.#broke(`${it} was removed after one that is newer`)
    this.removedTo = Math.max(this.removedTo, toPosition)
  }

  #checkNeed({ toPosition, confirmed, pinned }: Removed, it: string, alone: boolean): void {
    const { least, most } = this.#confirmed
    if (confirmed ? toPosition > most : toPosition <= least) this.#broke(`${it} was removed as confirmed: ${confirmed}`)
    const all = [...this.#needed.values()]
    const pinLeast = Math.min(...all.map((needed) => needed.least))
    const pinMost = Math.min(...all.map((needed) => needed.most))
    // The appliance has readers of its own, whose places nobody here knows: they may be why it is pinned.
    if (pinned ? alone && toPosition <= pinLeast : toPosition > pinMost)
      this.#broke(`${it} was removed as pinned: ${pinned}`)
  }

  /** Looked at now and then, while nothing is the matter. */
  checkFree(disk: Disk, finishedStores: number): void {
    const { minFreeBytes } = this.#plan
    if (finishedStores > 0 && disk.freeBytes < minFreeBytes - SLACK_BYTES) {
      this.#broke(`${disk.freeBytes} bytes are free, ${minFreeBytes} should be`)
    }
  }

  /** At the end, when everything that is kept has been seen. */
  checkRecord(): void {
    for (const [key, position] of this.#told) {
      // What told of it may have been removed itself before anyone read it.
      if (this.#onRecord.has(key) || position < this.removedTo) continue
      this.#broke(`the removal of ${key} is not on record`)
    }
  }

  get removals(): number {
    return this.#told.size
  }
}

function keyOf({ what, store }: { readonly what: string; readonly store: number }): string {
  return `${what} ${store}`
}

function neededFrom({ position, skipped = [] }: Place): Position {
  return Math.min(position, ...skipped.map(({ from }) => from))
}
