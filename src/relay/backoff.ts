import type { ErrorCode } from '../errors.ts'
import type { Ms, Random } from '../world/time.ts'

/** How long to wait before another attempt: up to `firstMs`, twice as much after each further failure, up to `capMs`. */
interface Pace {
  readonly firstMs: Ms
  readonly capMs: Ms
}

/** What passes by itself: the network, the relay's restart, a code that was used or too old. */
const NETWORK: Pace = { firstMs: 1000, capMs: 60_000 }
/** What needs a person: asking more often changes nothing and only adds to the relay's load. */
const REFUSAL: Pace = { firstMs: 60_000, capMs: 600_000 }

const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNDERSTUDY_TOKEN_INVALID',
  'UNDERSTUDY_TOKEN_SCOPE',
  'UNDERSTUDY_RELAY_NO_AUTHORIZATION',
  'UNDERSTUDY_RELAY_TOKEN_REFUSED',
  'UNDERSTUDY_RELAY_TOKEN_EXPIRED',
  'UNDERSTUDY_RELAY_TOKEN_EARLY',
  'UNDERSTUDY_RELAY_WRONG_AUDIENCE',
  'UNDERSTUDY_RELAY_WRONG_TOPIC',
  'UNDERSTUDY_RELAY_MISSING_CLAIMS',
  'UNDERSTUDY_RELAY_DENIED',
  'UNDERSTUDY_RELAY_NO_ANSWER',
  'UNDERSTUDY_RELAY_UNEXPECTED'
])

/** Streams start within this time of each other, for each stream and in all. */
const SPREAD_MS = 50
const MAX_SPREAD_MS = 5000

/** Whether the relay refused the stream itself, so that trying again soon is of no use. */
export function isRefusal(code: ErrorCode): boolean {
  return REFUSALS.has(code)
}

/** The wait before a stream's first attempt, so that a hundred of them do not ask at once. */
export function initialDelay(random: Random, streams: number): Ms {
  return random.fraction() * Math.min(streams * SPREAD_MS, MAX_SPREAD_MS)
}

/**
 * The waits between one stream's attempts: capped exponential with full jitter, so that streams that lost their relay
 * together do not come back together. A connection that ended (expiry, deny, a restart) is followed by a new attempt
 * soon; when that is refused, the pace of refusals begins.
 */
export class Backoff {
  readonly #random: Random
  #pace = NETWORK
  #failures = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** The wait after an attempt or a connection that ended with `code`; without one, the network ended it. */
  next(code?: ErrorCode): Ms {
    const pace = code && isRefusal(code) ? REFUSAL : NETWORK
    if (pace !== this.#pace) this.reset()
    this.#pace = pace
    const ceiling = Math.min(pace.capMs, pace.firstMs * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 20)
    return this.#random.fraction() * ceiling
  }

  /** To be called when a connection has lasted, or its credentials have changed. */
  reset(): void {
    this.#failures = 0
  }
}
