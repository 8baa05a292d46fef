import jsonwebtoken from 'jsonwebtoken'
import { UnderstudyError } from '../errors.ts'
import type { Ms } from '../world/time.ts'

/** What a token says of itself, read without the secret and therefore not proved. */
export interface TokenFacts {
  readonly topic: string | undefined
  /** The access URL of the relay it is for; a token may name several. */
  readonly audience: readonly string[]
  readonly scopes: readonly string[]
  readonly issuedMs: Ms
  readonly notBeforeMs: Ms
  readonly expiresMs: Ms
}

/**
 * Reads a token (a JWT) as issued. It does not ask whether it has expired: the clock may be wrong, the relay decides.
 * No error shows any of it.
 * @throws UNDERSTUDY_TOKEN_INVALID, also when it lacks a time that the relay needs; UNDERSTUDY_TOKEN_SCOPE
 */
export function readToken(token: string): TokenFacts {
  const claims = decode(token)
  const times = ['exp', 'iat', 'nbf'].map((name) => claims[name])
  const missing = ['exp', 'iat', 'nbf'].filter((name) => claims[name] === undefined)
  if (missing.length > 0) {
    throw new UnderstudyError('UNDERSTUDY_TOKEN_INVALID', `it lacks ${missing.join(', ')}, on which the relay crashes`)
  }
  // Beyond a Date's range there is nothing to warn of, and printing it would throw.
  if (!times.every((time): time is number => typeof time === 'number' && Math.abs(time) <= 8.64e12)) {
    throw new UnderstudyError('UNDERSTUDY_TOKEN_INVALID', 'its exp, iat and nbf are not all times')
  }
  const scopes = strings(claims['scopes'])
  if (!scopes.includes('read')) throw new UnderstudyError('UNDERSTUDY_TOKEN_SCOPE')
  const [expires, issued, notBefore] = times.map((seconds) => seconds * 1000) as [Ms, Ms, Ms]
  return {
    topic: typeof claims['topic'] === 'string' ? claims['topic'] : undefined,
    audience: strings(claims['aud']),
    scopes,
    issuedMs: issued,
    notBeforeMs: notBefore,
    expiresMs: expires
  }
}

/** Whether a stream's token allows sending; one of a local relay host has none to look into. */
export function mayWrite(token: TokenFacts | undefined): boolean {
  return token?.scopes.includes('write') ?? true
}

const dayMs = 86_400_000
const warnDays = 30

/** The whole days left when it is time to warn (30 days or fewer; below 0: expired), else `undefined`. */
export function expiryWarning(token: TokenFacts, nowMs: Ms): { daysLeft: number } | undefined {
  const daysLeft = Math.floor((token.expiresMs - nowMs) / dayMs)
  return daysLeft <= warnDays ? { daysLeft } : undefined
}

function decode(token: string): Record<string, unknown> {
  let claims: unknown
  try {
    claims = jsonwebtoken.decode(token)
  } catch {
    // The error may quote the token.
  }
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw new UnderstudyError('UNDERSTUDY_TOKEN_INVALID', 'it is not a JWT')
  }
  return claims as Record<string, unknown>
}

function strings(claim: unknown): string[] {
  return [claim].flat().filter((entry) => typeof entry === 'string')
}
