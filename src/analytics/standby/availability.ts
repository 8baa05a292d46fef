import type { Us } from '../../world/time.ts'
import type { Reply } from '../wire/read-reply.ts'
import type { Request } from '../wire/requests.ts'
import { answers } from './said.ts'

/** What the primary has not replied to after so long counts as missing. */
export const PATIENCE_US: Us = 10_000_000
/** More at a time are not counted. */
const MOST_OPEN = 10_000
const MOST_OUTAGES = 1000

/** How well the primary answered on one stream. A request for everything asks for five replies. */
export interface AvailabilityFigures {
  /** Replies that were asked for, as far as it is known what became of them. */
  readonly asked: number
  /** Of these, the primary's. */
  readonly replied: number
  /** How long its replies took, together, and the longest. */
  readonly repliedUs: Us
  readonly longestUs: Us
  /** Replies that Pis have sent. */
  readonly stoodIn: number
  /** When it did not reply to anything: from the first such request to its next reply; the last may go on. In order. */
  readonly outages: Array<{ readonly fromUs: Us; readonly toUs?: Us }>
}

interface Open {
  readonly request: Request
  readonly content: string
  readonly askedUs: Us
}

/**
 * Measures the primary's availability on one stream from what is said there. Times are those of reading, of whatever
 * clock does not step. A reply is taken for an answer to all who asked for it before.
 */
export class Availability {
  #open: Open[] = []
  #asked = 0
  #replied = 0
  #repliedUs: Us = 0
  #longestUs: Us = 0
  #stoodIn = 0
  #lastReplyUs = Number.NEGATIVE_INFINITY
  readonly #outages: Array<{ fromUs: Us; toUs?: Us }> = []
  readonly #isHeard: (fromUs: Us, toUs: Us) => boolean

  /** @param isHeard whether all that was said in this time was heard; otherwise a reply may have come unheard */
  constructor(isHeard: (fromUs: Us, toUs: Us) => boolean = () => true) {
    this.#isHeard = isHeard
  }

  asked(request: Request, askedUs: Us): void {
    this.settle(askedUs)
    for (const { content } of request.contents) {
      if (this.#open.length < MOST_OPEN) this.#open.push({ request, content, askedUs })
    }
  }

  /** The primary replied. */
  replied(reply: Reply, us: Us): void {
    this.settle(us)
    this.#lastReplyUs = us
    const outage = this.#outages.at(-1)
    if (outage && outage.toUs === undefined) outage.toUs = Math.max(outage.fromUs, us)
    this.#open = this.#open.filter(({ request, content, askedUs }) => {
      if (content !== reply.content || !answers(reply, request)) return true
      // Between two boots time may go back.
      const tookUs = Math.max(0, us - askedUs)
      this.#asked++
      this.#replied++
      this.#repliedUs += tookUs
      this.#longestUs = Math.max(this.#longestUs, tookUs)
      return false
    })
  }

  /** A Pi replied. */
  stoodIn(): void {
    this.#stoodIn++
  }

  /** What has waited too long by now is missing. */
  settle(nowUs: Us): void {
    let late = 0
    while (late < this.#open.length && nowUs - this.#open[late]!.askedUs > PATIENCE_US) late++
    for (const { askedUs } of this.#open.splice(0, late)) {
      if (!this.#isHeard(askedUs, askedUs + PATIENCE_US)) continue
      this.#asked++
      this.#miss(askedUs)
    }
  }

  /** It is not known what becomes of all that is open. */
  forget(): void {
    this.#open = []
  }

  get figures(): AvailabilityFigures {
    return {
      asked: this.#asked,
      replied: this.#replied,
      repliedUs: this.#repliedUs,
      longestUs: this.#longestUs,
      stoodIn: this.#stoodIn,
      outages: this.#outages.map((outage) => ({ ...outage }))
    }
  }

  #miss(askedUs: Us): void {
    // It was there: only this was not replied to.
    if (this.#lastReplyUs >= askedUs) return
    const last = this.#outages.at(-1)
    const goesOn = last !== undefined && last.toUs === undefined
    if (!goesOn && this.#outages.length < MOST_OUTAGES) this.#outages.push({ fromUs: askedUs })
  }
}
