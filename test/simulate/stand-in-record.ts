import { saidIn } from '../../src/analytics/standby/said.ts'
import type { Us } from '../../src/world/time.ts'

/** Something said on a stream, as one who only listens heard it. */
export type Heard =
  | { readonly kind: 'request'; readonly us: Us; readonly user: string; readonly contents: readonly string[] }
  | {
      readonly kind: 'reply'
      readonly us: Us
      readonly user: string
      readonly content: string
      readonly marked: boolean
    }

/** When something was the matter. */
export interface Trouble {
  readonly fromUs: Us
  readonly toUs: Us
  /** What was sent meanwhile may have come long after. */
  readonly cutOff: boolean
}

/** What a message takes from one to the other, more or less than to somebody else; the relay may hold it to join it. */
const ON_ITS_WAY_US: Us = 150_000
const WAIT_US: Us = 2_000_000
const SILENT_WAIT_US: Us = 100_000
const PATIENCE_US: Us = 10_000_000
/** Before and after a request nothing may be the matter, so that an answer to it is certain. */
const BEFORE_US: Us = 15_000_000
const AFTER_US: Us = 60_000_000

/** What was said on one stream, and what promises it breaks. Each request is of another student. */
export class StandInRecord {
  readonly heard: Heard[] = []
  readonly #stream: string

  constructor(stream: string) {
    this.#stream = stream
  }

  hears(frame: Buffer, us: Us): void {
    for (const one of saidIn(frame)) {
      if (one.kind === 'request') {
        const contents = one.request.contents.map(({ content }) => content)
        this.heard.push({ kind: 'request', us, user: one.request.user, contents })
      } else this.heard.push({ kind: 'reply', us, ...one.reply, marked: one.marked })
    }
  }

  /**
   * @param pis when something was the matter with each Pi
   * @param all when something was the matter with everybody
   */
  *broken(pis: ReadonlyArray<readonly Trouble[]>, all: readonly Trouble[]): Generator<string> {
    for (const request of this.heard) {
      if (request.kind !== 'request') continue
      const { us, user } = request
      const replies = this.#replies().filter((reply) => reply.user === user)
      const calm = (troubles: readonly Trouble[]): boolean =>
        !troubles.some(({ fromUs, toUs }) => fromUs < us + AFTER_US && toUs > us - BEFORE_US)
      if (!calm(all)) continue
      for (const content of request.contents) {
        const some = replies.filter((reply) => reply.content === content)
        if (some.length === 0 && pis.some(calm)) yield `${this.#stream}: ${content} of ${user} is not answered`
        for (const answer of some.filter(({ marked }) => marked)) {
          const silent = this.#maySeemSilent(answer.us)
          // What a Pi did not hear it cannot know; but it may guess only where the primary was silent before.
          if (!calm(pis.flat().filter(({ cutOff }) => silent || cutOff))) continue
          const before = replies.filter((reply) => !reply.marked && reply.us < answer.us - ON_ITS_WAY_US)
          if (before.some((reply) => reply.content === content))
            yield `${this.#stream}: ${content} of ${user} is answered twice, ${answer.us - us} us after it was asked for`
          const sinceUs = Math.max(us, ...before.map((reply) => reply.us))
          const waitUs = silent ? SILENT_WAIT_US : WAIT_US
          if (answer.us - sinceUs < waitUs - ON_ITS_WAY_US)
            yield `${this.#stream}: ${content} of ${user} is answered after ${answer.us - sinceUs} us`
        }
      }
    }
  }

  /** Whether there was a request by then to which the primary had not said a word, nor to anything since. */
  #maySeemSilent(us: Us): boolean {
    const lastReplyUs = Math.max(
      ...this.#replies()
        .filter((reply) => !reply.marked && reply.us < us - ON_ITS_WAY_US)
        .map((reply) => reply.us)
    )
    return this.heard.some(
      (one) => one.kind === 'request' && one.us > lastReplyUs - ON_ITS_WAY_US && one.us < us - WAIT_US + ON_ITS_WAY_US
    )
  }

  /** The primary's availability, by the plainest way to count it. */
  availability(): { asked: number; replied: number; stoodIn: number; outages: Array<{ fromUs: Us; toUs?: Us }> } {
    const replies = this.#replies()
    const outages: Array<{ fromUs: Us; toUs?: Us }> = []
    let asked = 0
    let replied = 0
    for (const request of this.heard) {
      if (request.kind !== 'request') continue
      for (const content of request.contents) {
        asked++
        const { us, user } = request
        const inTime = replies.filter((reply) => !reply.marked && reply.us > us && reply.us <= us + PATIENCE_US)
        if (inTime.some((reply) => reply.user === user && reply.content === content)) replied++
        else if (inTime.length === 0 && !outages.some(({ fromUs, toUs = us }) => fromUs <= us && us <= toUs)) {
          const next = replies.find((reply) => !reply.marked && reply.us > us)
          outages.push(next ? { fromUs: us, toUs: next.us } : { fromUs: us })
        }
      }
    }
    return { asked, replied, stoodIn: replies.filter(({ marked }) => marked).length, outages }
  }

  #replies(): Array<Extract<Heard, { kind: 'reply' }>> {
    return this.heard.filter((one) => one.kind === 'reply')
  }
}
