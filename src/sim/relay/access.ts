import type { KeyObject } from 'node:crypto'
import jsonwebtoken from 'jsonwebtoken'
import type { World } from '../../world/world.ts'
import { type Admission, hasRequiredClaims } from './admission.ts'
import type { Claims } from './credentials.ts'

export interface Request {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

interface Context {
  readonly world: World
  readonly admission: Admission
  readonly key: KeyObject
  /** The exact access base URL. */
  readonly audience: string
  readonly relayUrl: string
  /** Ends the connections of a booking that was denied. */
  readonly dropBooking: (booking: string) => void
}

/**
 * The access API: answers as the real relay does, to the byte. `undefined` stands for its crash: a reset without an
 * answer.
 */
export function answerAccess(context: Context, request: Request): Answer | undefined {
  const url = new URL(request.url, context.audience)
  const topic = /^\/session\/([^/]+)\/?$/.exec(url.pathname)?.[1]
  const action = /^\/bids\/(deny|allow)\/?$/.exec(url.pathname)?.[1]
  if (topic === undefined && action === undefined) return refusal(404, `path ${url.pathname} was not found`)
  if (request.method !== 'POST') {
    const { headers, ...rest } = refusal(405, `method ${request.method} is not allowed, but [POST] are`)
    return { ...rest, headers: { ...headers, allow: 'POST' } }
  }
  const token = request.headers['authorization']
  if (!token) return refusal(401, 'unauthenticated for invalid credentials')
  const claims = verified(token, context)
  if (claims === undefined) return refusal(500, 'token invalid')
  const audience = [claims.aud ?? []].flat()
  if (!audience.includes(context.audience)) {
    return refusal(500, `aud [${audience.join(' ')}] does not match this host ${context.audience}`)
  }
  if (action !== undefined) return administer(context, action, claims, url.searchParams)
  if (request.body !== '' && !request.headers['content-type']?.startsWith('application/json')) {
    const type = request.headers['content-type'] ?? 'application/octet-stream'
    return refusal(415, `unsupported media type "${type}", only [application/json] are allowed`)
  }
  return openSession(context, decodeURIComponent(topic!), claims)
}

function openSession(context: Context, topic: string, claims: Claims): Answer | undefined {
  const { world, admission } = context
  if (!hasRequiredClaims(claims)) return json(401, 'Token Missing Required Claims')
  if (claims.exp === undefined) return undefined
  if (claims.topic !== topic) return json(401, 'Token Wrong Topic')
  if (!claims.booking_id) return json(400, { code: '400', message: 'empty bookingID field is not permitted' })
  if (admission.isDenied(claims.booking_id)) {
    const message = 'bookingID has been deny-listed, probably because the session was cancelled'
    return json(400, { code: '400', message })
  }
  if (claims.iat === undefined || claims.nbf === undefined) return undefined
  const code = uuid(world.random.bytes(16))
  const { prefix, scopes, exp, booking_id } = claims
  const pass = { topic, booking: booking_id, scopes: scopes as string[], exp }
  admission.submit(code, pass, world.clock.wallUs() / 1000)
  return json(200, { uri: `${context.relayUrl}/${prefix}/${topic}?code=${code}` })
}

function administer(context: Context, action: string, claims: Claims, query: URLSearchParams): Answer {
  if (!claims.scopes?.includes('relay:admin')) {
    const why = action === 'deny' ? 'is token missing relay:admin scope? missing relay:admin Scope' : ''
    return json(401, { code: '401', message: why || 'token missing relay:admin scope' })
  }
  const booking = query.get('bid')
  if (!booking) return json(400, { code: '400', message: 'bid (booking id) missing' })
  if (action === 'allow') context.admission.allow(booking)
  else {
    context.admission.deny(booking)
    context.dropBooking(booking)
  }
  return { status: 204, body: '' }
}

/** The claims, if the signature and the times are right. */
function verified(token: string, { world, key }: Context): Claims | undefined {
  const nowS = world.clock.wallUs() / 1e6
  try {
    const claims = jsonwebtoken.verify(token, key, {
      algorithms: ['HS256', 'HS384', 'HS512'],
      clockTimestamp: nowS
    }) as Claims
    const wellFormed = claims.scopes === undefined || Array.isArray(claims.scopes)
    return wellFormed && (claims.iat ?? 0) <= nowS ? claims : undefined
  } catch {
    // Whatever is wrong with it, the relay says no more than "token invalid".
    return undefined
  }
}

function refusal(code: number, message: string): Answer {
  return { status: code, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code, message }) }
}

function json(status: number, value: unknown): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` }
}

function uuid(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20)]
  return parts.join('-')
}
