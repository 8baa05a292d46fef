import type { Position } from '../../journal/entry.ts'
import type { Ms, Us } from '../../world/time.ts'
import type { Reply } from '../wire/read-reply.ts'
import type { Request, Wanted } from '../wire/requests.ts'
import { answers } from './said.ts'

/** While the primary is known to be silent, it is waited for so long. */
const SILENT_WAIT_MS = 100
/** What could not be answered so long after it was due, because nothing could be read or sent, is not answered any more. */
export const TOO_OLD_US: Us = 10_000_000
/** More at a time is nobody's dashboard: what is beyond it is not waited for. */
const MOST_PENDING = 1000

export interface WatchOptions {
  /** The primary has so long for each reply. */
  readonly waitMs: Ms
  /** It is not waited for: what is asked for is due at once. */
  readonly atOnce: boolean
  /** Drawn anew for each wait, so that several Pis do not begin together. */
  readonly jitterMs: () => Ms
}

/** Where a request stands in the journal: in a frame, several may be joined. */
export interface Place {
  readonly position: Position
  readonly part: number
}

/** A request and what is still owed of it. */
export interface Pending {
  readonly place: Place
  readonly request: Request
  readonly readUs: Us
  /** In the primary's order. */
  readonly owed: readonly Wanted[]
}

interface Kept extends Pending {
  owed: Wanted[]
  /** The wait counts from here: when it was read, or the last reply to it. */
  sinceUs: Us
  /** That last one was another Pi's. */
  anotherAnswers: boolean
  jitterUs: Us
  /** When the primary counts as silent if it has not been heard since the request; `undefined` once that is decided. */
  judgedUs: Us | undefined
}

/**
 * What is asked for on one stream and not answered yet, and whether its primary is silent. Times are monotonic, and those
 * of reading. It only keeps the books: who uses it asks `next`, and tells what was sent.
 */
export class Watch {
  readonly #options: WatchOptions
  #pending: Kept[] = []
  #silent = false
  /** Whether the stream was heard without a gap since it is silent: otherwise the primary may have come back unheard. */
  #certain = true
  #heardUs = Number.NEGATIVE_INFINITY
  #sentUs = Number.NEGATIVE_INFINITY
  #doubted = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Whether the primary does not reply on this stream. */
  get silent(): boolean {
    return this.#silent
  }

  set silent(silent: boolean) {
    this.#silent = silent
    this.#certain = true
  }

  /** False when there are too many already. */
  requested(request: Request, place: Place, readUs: Us): boolean {
    if (this.#pending.length >= MOST_PENDING) return false
    const jitterUs = this.#jitterUs()
    const judgedUs = readUs + this.#options.waitMs * 1000 + jitterUs
    const since = { sinceUs: readUs, anotherAnswers: false, jitterUs, judgedUs }
    this.#pending.push({ place, request, readUs, owed: [...request.contents], ...since })
    return true
  }

  /**
   * The primary replied: to all who asked for this before, since no reply says to which request. The stream is its own
   * again at once.
   */
  replied(reply: Reply, readUs: Us): void {
    this.silent = false
    this.#heardUs = readUs
    for (const pending of this.#pending.filter(({ request }) => asksFor(request, reply))) {
      take(pending, reply)
      this.#waitAnew(pending, readUs, false)
    }
    this.#tidy()
  }

  /**
   * Another Pi answered one request: the rest of it is left to that one too, as long as it goes on. Where both have begun
   * at the same moment, both wait, and chance decides who goes on.
   */
  answered(reply: Reply, readUs: Us): void {
    const asking = this.#pending.filter(({ request }) => asksFor(request, reply))
    const pending = asking.find(({ owed }) => owes(owed, reply)) ?? asking[0]
    if (!pending) return
    take(pending, reply)
    this.#waitAnew(pending, readUs, true)
    this.#tidy()
  }

  /** An earlier process on this Pi answered one request. */
  answeredBefore(reply: Reply): void {
    const pending = this.#pending.find(({ request, owed }) => asksFor(request, reply) && owes(owed, reply))
    if (pending) take(pending, reply)
    this.#tidy()
  }

  /** The stream is not heard: what the primary replies meanwhile nobody here can know, unless it was silent just before. */
  lost(): void {
    this.#doubted = false
    if (!this.#silent || !this.#certain) this.#pending = []
    this.#certain = false
  }

  /** As long as it is in doubt whether all replies have come, nothing is due. */
  doubted(doubted: boolean): void {
    this.#doubted = doubted
  }

  /**
   * Decides which of those who waited long enough for the primary have shown that it is silent.
   * @returns since when, if it is found silent now
   */
  judge(nowUs: Us): Us | undefined {
    if (this.#doubted) return undefined
    let sinceUs: Us | undefined
    for (const pending of this.#pending) {
      if (pending.judgedUs === undefined || pending.judgedUs > nowUs) continue
      pending.judgedUs = undefined
      if (this.#heardUs >= pending.readUs) continue
      if (!this.#silent) sinceUs = pending.readUs
      this.silent = true
    }
    this.#tidy()
    return sinceUs
  }

  /** The request that has been due for longest, so that each is answered in one go. What is too old is forgotten. */
  next(nowUs: Us): Pending | undefined {
    if (this.#doubted) return undefined
    for (const pending of this.#pending) if (this.#isTooOld(pending, nowUs)) pending.owed = []
    this.#tidy()
    let next: Kept | undefined
    for (const pending of this.#pending) {
      if (pending.owed.length === 0 || this.#dueUs(pending) > nowUs) continue
      if (!next || this.#dueUs(pending) < this.#dueUs(next)) next = pending
    }
    return next
  }

  /** When `next` or `judge` will have something to say, as far as is known; may be past. */
  get nextUs(): Us | undefined {
    if (this.#doubted) return undefined
    const times = this.#pending.flatMap((pending) => [
      ...(pending.owed.length > 0 ? [this.#dueUs(pending)] : []),
      ...(pending.judgedUs === undefined ? [] : [pending.judgedUs])
    ])
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /** Whether this is still owed, due and not too old. */
  owes({ place }: Pending, wanted: Wanted, nowUs: Us): boolean {
    const pending = this.#pending.find((one) => one.place === place)
    if (!pending?.owed.includes(wanted) || this.#doubted || this.#isTooOld(pending, nowUs)) return false
    return this.#dueUs(pending) <= nowUs
  }

  /** It was answered from here, or there is nothing to be said to it. */
  sent({ place }: Pending, wanted: Wanted, nowUs: Us): void {
    this.#sentUs = nowUs
    for (const pending of this.#pending) {
      if (pending.place === place) pending.owed = pending.owed.filter((one) => one !== wanted)
    }
    this.#tidy()
  }

  #waitAnew(pending: Kept, sinceUs: Us, anotherAnswers: boolean): void {
    pending.sinceUs = sinceUs
    pending.anotherAnswers = anotherAnswers
    pending.jitterUs = this.#jitterUs()
  }

  #dueUs({ sinceUs, anotherAnswers, jitterUs }: Kept): Us {
    const { waitMs, atOnce } = this.#options
    if (atOnce) return sinceUs
    const shortened = this.#silent && this.#certain && !anotherAnswers
    return sinceUs + (shortened ? Math.min(SILENT_WAIT_MS, waitMs) : waitMs) * 1000 + jitterUs
  }

  /** While others are answered one after the other, who is behind them is waiting, and not forgotten. */
  #isTooOld(pending: Kept, nowUs: Us): boolean {
    return nowUs - Math.max(this.#dueUs(pending), this.#sentUs) > TOO_OLD_US
  }

  #jitterUs(): Us {
    return Math.round(this.#options.jitterMs() * 1000)
  }

  #tidy(): void {
    this.#pending = this.#pending.filter(({ owed, judgedUs }) => owed.length > 0 || judgedUs !== undefined)
  }
}

function asksFor(request: Request, reply: Reply): boolean {
  return answers(reply, request) && owes(request.contents, reply)
}

function owes(owed: readonly Wanted[], { content }: Reply): boolean {
  return owed.some((wanted) => wanted.content === content)
}

/** Takes what was replied from what is owed. */
function take(pending: Kept, { content }: Reply): void {
  pending.owed = pending.owed.filter((wanted) => wanted.content !== content)
}
