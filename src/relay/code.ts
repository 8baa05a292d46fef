/**
 * Asks the relay for a code: `POST accessUrl` with the raw token. Whatever comes instead of one is told apart, since
 * each asks for something else of the operator: see the table in `refusal`.
 */

import { type ErrorCode, systemCode, UnderstudyError } from '../errors.ts'
import { networkError, statusCode } from '../network.ts'
import type { HttpAnswer, Route } from '../world/sockets.ts'
import type { Ms } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { RelayListener } from './listener.ts'
import type { StreamSource } from './source.ts'

/** An answer that takes longer does not tell the time to 1.5 s: `Date` was written at some time of it. */
const DATE_WITHIN_MS = 2000

const NEVER = { fromMs: Number.POSITIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY }

export type CodeSource = Extract<StreamSource, { kind: 'code' }>

/** What is read of a token without its secret; times in seconds since 1970. */
interface Claims {
  readonly exp?: unknown
  readonly iat?: unknown
  readonly nbf?: unknown
  readonly scopes?: unknown
}

export interface AskOptions extends Route {
  readonly timeoutMs: Ms
  /**
   * Told what time it is by the `Date` of an answer that is the relay's, a refusal's too, unless it took too long; see
   * `RelayListener`.
   */
  readonly relayTime: RelayListener['relayTime']
}

/**
 * The websocket's URL, with the code in it: good for one connection within about 30 s, never to be printed.
 * @throws UNDERSTUDY_RELAY_*, UNDERSTUDY_NETWORK_*; UNDERSTUDY_TOKEN_SCOPE when the token does not allow reading, since
 * the relay would let such a stream open and then leave it without a message
 */
export async function askCode(world: World, source: CodeSource, options: AskOptions): Promise<string> {
  const { relayTime, timeoutMs, ...route } = options
  const claims = readClaims(source.token)
  if (Array.isArray(claims.scopes) && !claims.scopes.includes('read')) {
    throw new UnderstudyError('UNDERSTUDY_TOKEN_SCOPE', source.stream)
  }
  const headers = { authorization: source.token }
  const askedUs = world.clock.monoUs()
  let answer: HttpAnswer
  try {
    answer = await world.sockets.request(source.accessUrl, { ...route, method: 'POST', headers, body: '', timeoutMs })
  } catch (error) {
    throw unanswered(source, claims, error)
  }
  const uri = answer.status === 200 ? websocketUri(answer.body) : undefined
  const code = uri === undefined ? refusal(answer) : undefined
  const dateMs = Date.parse(answer.headers['date'] ?? '')
  const tookMs = (world.clock.monoUs() - askedUs) / 1000
  if (!Number.isNaN(dateMs) && tookMs <= DATE_WITHIN_MS && (code === undefined || isRelays(code))) {
    const { certificate: { fromMs, toMs } = NEVER } = answer
    relayTime(dateMs, tookMs, fromMs <= dateMs && dateMs <= toMs)
  }
  if (uri !== undefined) return uri
  // The relay says only "invalid". It judged by its own clock, so its own Date tells why, when there is one.
  const nowMs = Number.isNaN(dateMs) ? world.clock.wallUs() / 1000 : dateMs
  const refined = code === 'UNDERSTUDY_RELAY_TOKEN_REFUSED' ? refine(claims, nowMs) : code!
  throw new UnderstudyError(refined, `${source.stream}: HTTP ${answer.status}`)
}

/** What an answer without a code means. */
function refusal({ status, headers, body }: HttpAnswer): ErrorCode {
  const said = parse(body)
  const message = typeof said === 'string' ? said : ((said as { message?: unknown } | undefined)?.message ?? '')
  const says = (words: string): boolean => typeof message === 'string' && message.includes(words)
  if (status === 500 && says('does not match')) return 'UNDERSTUDY_RELAY_WRONG_AUDIENCE'
  if (status === 500 && says('token')) return 'UNDERSTUDY_RELAY_TOKEN_REFUSED'
  if (status === 401 && says('Wrong Topic')) return 'UNDERSTUDY_RELAY_WRONG_TOPIC'
  if (status === 401 && says('Missing Required Claims')) return 'UNDERSTUDY_RELAY_MISSING_CLAIMS'
  if (status === 401 && typeof said === 'string') return 'UNDERSTUDY_RELAY_TOKEN_REFUSED'
  if (status === 401 && said) return 'UNDERSTUDY_RELAY_NO_AUTHORIZATION'
  if (status === 400 && says('empty bookingID')) return 'UNDERSTUDY_RELAY_MISSING_CLAIMS'
  if (status === 400 && says('deny')) return 'UNDERSTUDY_RELAY_DENIED'
  const code = statusCode(status)
  const isPage = headers['content-type']?.startsWith('text/html') ?? false
  return code === 'UNDERSTUDY_RELAY_UNEXPECTED' && isPage && status !== 404 ? 'UNDERSTUDY_NETWORK_PORTAL' : code
}

/** Whether only the relay itself gives such an answer, and not something in its place. */
function isRelays(code: ErrorCode): boolean {
  return (
    code.startsWith('UNDERSTUDY_RELAY_') &&
    code !== 'UNDERSTUDY_RELAY_UNEXPECTED' &&
    code !== 'UNDERSTUDY_RELAY_UNREACHABLE'
  )
}

function websocketUri(body: string): string | undefined {
  const uri = (parse(body) as { uri?: unknown } | undefined)?.uri
  if (typeof uri !== 'string' || !URL.canParse(uri)) return undefined
  return /^wss?:$/.test(new URL(uri).protocol) ? uri : undefined
}

/** A reset is how the relay's handler ends when it meets a token without exp, iat or nbf. */
function unanswered(source: CodeSource, claims: Claims, error: unknown): UnderstudyError {
  const code = systemCode(error) ?? 'unknown'
  const isReset = code === 'ECONNRESET' || code === 'EPIPE'
  if (isReset && [claims.exp, claims.iat, claims.nbf].some((time) => typeof time !== 'number')) {
    return new UnderstudyError('UNDERSTUDY_RELAY_NO_ANSWER', source.stream, { cause: error })
  }
  return networkError(code, error)
}

function refine({ exp, iat, nbf }: Claims, nowMs: Ms): ErrorCode {
  if (typeof exp === 'number' && exp * 1000 <= nowMs) return 'UNDERSTUDY_RELAY_TOKEN_EXPIRED'
  if ([iat, nbf].some((time) => typeof time === 'number' && time * 1000 > nowMs)) return 'UNDERSTUDY_RELAY_TOKEN_EARLY'
  return 'UNDERSTUDY_RELAY_TOKEN_REFUSED'
}

function readClaims(token: string): Claims {
  const claims = parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return typeof claims === 'object' && claims !== null ? claims : {}
}

/** `undefined` for null too, and for what is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined
  } catch {
    return undefined
  }
}
