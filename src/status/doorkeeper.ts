import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { InTurn } from '../world/in-turn.ts'
import type { Clock, Ms, Random, Us } from '../world/time.ts'
import type { Password } from './password.ts'

const SESSION_MS: Ms = 30 * 86_400_000
const MOST_SESSIONS = 200
/** Wrong passwords within an hour: from one address, and from all of them. */
const PERIOD_US: Us = 3_600_000_000
const MOST_FAILURES = 10
const MOST_FAILURES_OF_ALL = 200
/** How many may wait for their passwords to be looked at. */
const MOST_WAITING = 4

export type Judgement = 'right' | 'wrong' | 'too many'

/** Knows who has given the password, and how often wrong ones were given. It forgets everything at a restart. */
export class Doorkeeper {
  readonly #password: Password
  readonly #clock: Clock
  readonly #random: Random
  /** The digest of each session's secret, and when it ends in monotonic time; the oldest first. */
  readonly #sessions = new Map<string, Us>()
  /** When wrong ones were given, by address. */
  readonly #failures = new Map<string, Us[]>()
  readonly #turns = new InTurn()
  #waiting = 0
  /** The right password as programs give it again and again, under a key that only this process knows. */
  #known: Buffer | undefined
  readonly #knownKey: Buffer

  constructor(password: Password, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#password = password
    this.#clock = clock
    this.#random = random
    this.#knownKey = random.bytes(32)
  }

  /** Of a password that comes from an address. One is looked at after the other: it costs a core's time. */
  async judge(text: string, address: string): Promise<Judgement> {
    if (this.#isKnown(text)) return 'right'
    if (this.#isTooMany(address) || this.#waiting >= MOST_WAITING) return 'too many'
    this.#waiting++
    try {
      return await this.#turns.run(async () => {
        if (this.#isTooMany(address)) return 'too many'
        if (await this.#password.is(text)) {
          this.#known = this.#mark(text)
          return 'right'
        }
        this.#failures.set(address, [...(this.#failures.get(address) ?? []), this.#clock.monoUs()])
        return 'wrong'
      })
    } finally {
      this.#waiting--
    }
  }

  /** The secret of a new session, for a cookie. */
  begin(): { readonly secret: string; readonly lastsMs: Ms } {
    const secret = this.#random.bytes(32).toString('base64url')
    this.#sessions.set(digest(secret), this.#clock.monoUs() + SESSION_MS * 1000)
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= MOST_SESSIONS) break
      this.#sessions.delete(oldest)
    }
    return { secret, lastsMs: SESSION_MS }
  }

  /** Looked up by its digest, so the time it takes tells nothing of the secret. */
  isInside(secret: string): boolean {
    const endUs = this.#sessions.get(digest(secret))
    return endUs !== undefined && this.#clock.monoUs() < endUs
  }

  #isTooMany(address: string): boolean {
    const sinceUs = this.#clock.monoUs() - PERIOD_US
    let all = 0
    for (const [who, times] of this.#failures) {
      const recent = times.filter((atUs) => atUs > sinceUs)
      all += recent.length
      if (recent.length > 0) this.#failures.set(who, recent)
      else this.#failures.delete(who)
    }
    return all >= MOST_FAILURES_OF_ALL || (this.#failures.get(address)?.length ?? 0) >= MOST_FAILURES
  }

  #isKnown(text: string): boolean {
    return this.#known !== undefined && timingSafeEqual(this.#mark(text), this.#known)
  }

  #mark(text: string): Buffer {
    return createHmac('sha256', this.#knownKey).update(text).digest()
  }
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
