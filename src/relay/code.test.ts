import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../errors.ts'
import type { HttpAnswer, HttpRequest } from '../world/sockets.ts'
import type { World } from '../world/world.ts'
import { askCode, type CodeSource } from './code.ts'

const NOW = Date.UTC(2026, 10, 21, 12)
const DATE = new Date(NOW).toUTCString()
const YEAR = { fromMs: Date.UTC(2026, 0), toMs: Date.UTC(2027, 0) }
const GOOD = { exp: NOW / 1000 + 60, iat: NOW / 1000 - 60, nbf: NOW / 1000 - 60, scopes: ['read', 'write'] }

function source(claims: object = GOOD, accessUrl = 'https://relay.test/access/session/spin30-log'): CodeSource {
  const token = `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
  return { stream: 'spin30', kind: 'code', accessUrl, token }
}

/** Asks a world whose relay gives `answer`, or fails with `answer` when it is a code of Node's. */
async function ask(answer: Partial<HttpAnswer> | string, from = source(), tookMs = 0) {
  let monoUs = 0
  const asked: Array<{ url: string } & HttpRequest> = []
  const times: Array<[number, number, boolean]> = []
  const world = {
    clock: { wallUs: () => NOW * 1000, monoUs: () => monoUs },
    sockets: {
      async request(url: string, request: HttpRequest): Promise<HttpAnswer> {
        asked.push({ url, ...request })
        monoUs += tookMs * 1000
        if (typeof answer === 'string') throw Object.assign(new Error('no'), { code: answer })
        return { status: 200, headers: { date: DATE }, body: '', certificate: YEAR, ...answer }
      }
    }
  } as unknown as World
  const relayTime = (...said: [number, number, boolean]): void => void times.push(said)
  const options = { timeoutMs: 10_000, proxy: 'http://proxy.test:3128', ca: 'PEM', relayTime }
  try {
    return { uri: await askCode(world, from, options), asked, times }
  } catch (error) {
    return { error: error as { code: ErrorCode; message: string }, asked, times }
  }
}

const json = (status: number, said: unknown): Partial<HttpAnswer> => ({ status, body: `${JSON.stringify(said)}\n` })
const page = (status: number): Partial<HttpAnswer> => ({
  status,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: '<html>Log in</html>'
})

test('gives the uri, asked for with the raw token over the given route', async () => {
  const uri = 'wss://relay.test/session/spin30-log?code=c0de'
  const { asked, times, ...answer } = await ask(json(200, { uri }))
  expect(answer).toEqual({ uri })
  expect(asked).toEqual([
    {
      url: source().accessUrl,
      method: 'POST',
      headers: { authorization: source().token },
      body: '',
      timeoutMs: 10_000,
      proxy: 'http://proxy.test:3128',
      ca: 'PEM'
    }
  ])
  expect(times).toEqual([[NOW, 0, true]])
})

describe('every answer has its own error', () => {
  const invalid = json(500, { code: 500, message: 'token invalid' })
  test.each<[name: string, answer: Partial<HttpAnswer> | string, code: ErrorCode, claims?: object]>([
    ['no token', json(401, { code: 401, message: 'unauthenticated' }), 'UNDERSTUDY_RELAY_NO_AUTHORIZATION'],
    ['bad signature', invalid, 'UNDERSTUDY_RELAY_TOKEN_REFUSED'],
    ['expired', invalid, 'UNDERSTUDY_RELAY_TOKEN_EXPIRED', { ...GOOD, exp: NOW / 1000 - 1 }],
    ['early', invalid, 'UNDERSTUDY_RELAY_TOKEN_EARLY', { ...GOOD, nbf: NOW / 1000 + 10 }],
    ['not a JWT', json(401, 'Token Not JWT'), 'UNDERSTUDY_RELAY_TOKEN_REFUSED'],
    [
      'wrong audience',
      json(500, { code: 500, message: 'aud [http://a] does not match this host http://b' }),
      'UNDERSTUDY_RELAY_WRONG_AUDIENCE'
    ],
    ['wrong topic', json(401, 'Token Wrong Topic'), 'UNDERSTUDY_RELAY_WRONG_TOPIC'],
    ['claims', json(401, 'Token Missing Required Claims'), 'UNDERSTUDY_RELAY_MISSING_CLAIMS'],
    [
      'denied',
      json(400, { code: '400', message: 'bookingID has been deny-listed, probably because …' }),
      'UNDERSTUDY_RELAY_DENIED'
    ],
    [
      'no booking',
      json(400, { code: '400', message: 'empty bookingID field is not permitted' }),
      'UNDERSTUDY_RELAY_MISSING_CLAIMS'
    ],
    ['crash', 'ECONNRESET', 'UNDERSTUDY_RELAY_NO_ANSWER', { exp: GOOD.exp }],
    ['reset of a good token', 'ECONNRESET', 'UNDERSTUDY_RELAY_UNREACHABLE'],
    ['write only', json(200, { uri: 'ws://a/b' }), 'UNDERSTUDY_TOKEN_SCOPE', { ...GOOD, scopes: ['write'] }],
    ['not found', page(404), 'UNDERSTUDY_RELAY_UNEXPECTED'],
    ['another 500', json(500, { message: 'sorry' }), 'UNDERSTUDY_RELAY_UNEXPECTED'],
    ['portal: a page', page(200), 'UNDERSTUDY_NETWORK_PORTAL'],
    ['portal: other JSON', json(200, { ok: true }), 'UNDERSTUDY_NETWORK_PORTAL'],
    ['portal: JSON null', json(200, null), 'UNDERSTUDY_NETWORK_PORTAL'],
    ['portal: uri elsewhere', json(200, { uri: 'https://login.test/' }), 'UNDERSTUDY_NETWORK_PORTAL'],
    ['portal: no uri', json(200, { uri: 'nonsense' }), 'UNDERSTUDY_NETWORK_PORTAL'],
    ['portal: redirect', { status: 302, headers: { location: 'http://login.test/' } }, 'UNDERSTUDY_NETWORK_PORTAL'],
    ['portal: 511', { status: 511 }, 'UNDERSTUDY_NETWORK_PORTAL'],
    ['filter: 403 page', page(403), 'UNDERSTUDY_NETWORK_PORTAL'],
    ['portal without TLS', 'EPROTO', 'UNDERSTUDY_NETWORK_PORTAL'],
    ['portal under its own name', 'ERR_TLS_CERT_ALTNAME_INVALID', 'UNDERSTUDY_NETWORK_PORTAL'],
    ['gateway', page(502), 'UNDERSTUDY_RELAY_UNREACHABLE'],
    ['proxy asks for a password', { status: 407 }, 'UNDERSTUDY_NETWORK_PROXY'],
    ['proxy refuses', 'PROXY_REFUSED', 'UNDERSTUDY_NETWORK_PROXY'],
    ['interceptor', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNDERSTUDY_NETWORK_INTERCEPTED'],
    ['interceptor, leaf only', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNDERSTUDY_NETWORK_INTERCEPTED'],
    ['interceptor, self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNDERSTUDY_NETWORK_INTERCEPTED'],
    ['certificate expired', 'CERT_HAS_EXPIRED', 'UNDERSTUDY_NETWORK_CERTIFICATE'],
    ['certificate early', 'CERT_NOT_YET_VALID', 'UNDERSTUDY_NETWORK_CERTIFICATE'],
    ['time-out', 'TIMEOUT', 'UNDERSTUDY_NETWORK_TIME_OUT'],
    ['no name', 'ENOTFOUND', 'UNDERSTUDY_RELAY_UNREACHABLE'],
    ['refused', 'ECONNREFUSED', 'UNDERSTUDY_RELAY_UNREACHABLE']
  ])('%s', async (_name, answer, code, claims) => {
    const from = source(claims)
    const { error } = await ask(answer, from)
    expect(error?.code).toBe(code)
    expect(error?.message).not.toContain(from.token)
  })
})

describe("the relay's time", () => {
  test('comes with a refusal too', async () => {
    const refused = { ...json(401, 'Token Wrong Topic'), headers: { date: DATE } }
    expect((await ask(refused)).times).toEqual([[NOW, 0, true]])
  })

  test('comes with how long the answer took, and not when that was too long', async () => {
    const answer = json(200, { uri: 'wss://relay.test/session/a?code=b' })
    expect((await ask(answer, source(), 1000)).times).toEqual([[NOW, 1000, true]])
    expect((await ask(answer, source(), 2001)).times).toEqual([])
  })

  test('is not verified without TLS that was checked', async () => {
    const answer = json(200, { uri: 'ws://127.0.0.1:3001/session/a?code=b' })
    const unchecked = { ...answer, certificate: undefined } as unknown as Partial<HttpAnswer>
    expect((await ask(unchecked, source(GOOD, 'http://127.0.0.1:3000/session/a'))).times).toEqual([[NOW, 0, false]])
    expect((await ask(unchecked)).times).toEqual([[NOW, 0, false]])
  })

  test('nor when the certificate is not valid at that time', async () => {
    const answer = json(200, { uri: 'wss://relay.test/session/a?code=b' })
    for (const days of [-2, 2]) {
      const certificate = { fromMs: NOW + (days - 1) * 86_400_000, toMs: NOW + (days + 1) * 86_400_000 }
      expect((await ask({ ...answer, certificate })).times).toEqual([[NOW, 0, false]])
    }
  })

  test("is not taken from a portal's answer, nor from a broken header", async () => {
    expect((await ask({ ...page(200), headers: { date: DATE } })).times).toEqual([])
    expect((await ask({ ...json(200, { uri: 'ws://a/b' }), headers: { date: 'today' } })).times).toEqual([])
  })

  test('decides whether a token is early, since the relay judged by it', async () => {
    const early = { ...GOOD, nbf: NOW / 1000 - 50 }
    const headers = { date: new Date(NOW - 55_000).toUTCString() }
    const { error } = await ask({ ...json(500, { message: 'token invalid' }), headers }, source(early))
    expect(error?.code).toBe('UNDERSTUDY_RELAY_TOKEN_EARLY')
  })
})
