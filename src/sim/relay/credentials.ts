import jsonwebtoken from 'jsonwebtoken'
import type { Ms } from '../../world/time.ts'

/** What a token says. A claim that is `undefined` is left out. */
export interface Claims {
  readonly topic?: string | undefined
  readonly prefix?: string | undefined
  readonly scopes?: readonly string[] | string | undefined
  readonly aud?: string | readonly string[] | undefined
  /** Seconds since 1970. */
  readonly exp?: number | undefined
  readonly iat?: number | undefined
  readonly nbf?: number | undefined
  readonly booking_id?: string | undefined
}

export interface TokenOrder {
  readonly secret: string
  /** The exact access base URL. */
  readonly audience: string
  /** e.g. `spin30-log` */
  readonly topic: string
  /** When it is issued. */
  readonly nowMs: Ms
  /** Default: read and write. */
  readonly scopes?: readonly string[]
  /** Default: 365 days, as the real ones. */
  readonly expiresInS?: number
  /** Claims to be otherwise than they should. */
  readonly claims?: Claims
}

/** A JWT as the relay's operator issues it (HS256). */
export function issueToken(order: TokenOrder): string {
  const nowS = Math.floor(order.nowMs / 1000)
  const claims: Claims = {
    topic: order.topic,
    prefix: 'session',
    scopes: order.scopes ?? ['read', 'write'],
    aud: order.audience,
    exp: nowS + (order.expiresInS ?? 365 * 24 * 3600),
    iat: nowS - 1,
    nbf: nowS - 1,
    booking_id: `booking-${order.topic}`,
    ...order.claims
  }
  // Through JSON, so that what is undefined is left out; as text, because objects are signed with an iat of the machine's clock.
  return jsonwebtoken.sign(JSON.stringify(claims), order.secret, { header: { alg: 'HS256', typ: 'JWT' } })
}

/** The pair of files an operator holds for one stream. */
export interface CredentialFiles {
  readonly accessFile: { readonly name: string; readonly content: string }
  readonly tokenFile: { readonly name: string; readonly content: string }
  /** What is in them. */
  readonly accessUrl: string
  readonly token: string
}

/** The pair of files for `stream`; the topic is `<stream>-log`. */
export function credentialFiles(stream: string, order: Omit<TokenOrder, 'topic'>): CredentialFiles {
  const topic = topicOf(stream)
  const accessUrl = `${order.audience}/session/${topic}`
  const token = issueToken({ ...order, topic })
  return {
    accessFile: { name: `log.access.${stream}`, content: `${accessUrl}\n` },
    tokenFile: { name: `log.token.${stream}`, content: `${token}\n` },
    accessUrl,
    token
  }
}

/** The relay's topic of a stream. */
export function topicOf(stream: string): string {
  return `${stream}-log`
}
