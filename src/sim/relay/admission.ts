import type { Claims } from './credentials.ts'

/** How long a code may wait to be used. The real relay tidies up once a minute, so there it may live up to 90 s. */
const CODE_LIFE_MS = 30_000

/** What a code stands for: the claims of the token it was given for, checked. */
export interface Pass {
  readonly topic: string
  readonly booking: string
  readonly scopes: readonly string[]
  /** Seconds since 1970. */
  readonly exp: number
}

/** The codes given out and the bookings denied. */
export class Admission {
  readonly #codes = new Map<string, { pass: Pass; untilMs: number }>()
  readonly #denied = new Set<string>()

  submit(code: string, pass: Pass, nowMs: number): void {
    for (const [old, { untilMs }] of this.#codes) {
      if (untilMs < nowMs) this.#codes.delete(old)
    }
    this.#codes.set(code, { pass, untilMs: nowMs + CODE_LIFE_MS })
  }

  /** Works once, for the topic it was given for. */
  exchange(code: string, topic: string, nowMs: number): Pass | undefined {
    const found = this.#codes.get(code)
    this.#codes.delete(code)
    if (found === undefined || found.untilMs < nowMs || found.pass.topic !== topic) return undefined
    if (found.pass.exp * 1000 < nowMs || this.isDenied(found.pass.booking)) return undefined
    return found.pass
  }

  deny(booking: string): void {
    this.#denied.add(booking)
    for (const [code, { pass }] of this.#codes) {
      if (pass.booking === booking) this.#codes.delete(code)
    }
  }

  allow(booking: string): void {
    this.#denied.delete(booking)
  }

  isDenied(booking: string): boolean {
    return this.#denied.has(booking)
  }
}

/** Whether a token says all that the relay needs; `exp` too, but its lack crashes the real one before it can say so. */
export function hasRequiredClaims(claims: Claims): boolean {
  return Boolean(claims.topic && claims.scopes?.length && claims.prefix && claims.aud?.length)
}
