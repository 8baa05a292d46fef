import { describe, expect, test } from 'vitest'
import { certificate, eventLog, proxying, serving } from './fixtures.ts'
import { request } from './http.ts'
import { connect } from './websocket.ts'

/** Every way that `[network] proxy` and `ca_file` make possible, for what is asked for and what is heard. */

const LOGIN = 'me@work:p@ss/w:rd'
/** As it stands in a URL. */
const URL_LOGIN = 'me%40work:p%40ss%2Fw:rd'

/** A request of this scheme, or a websocket that is greeted: what came of it, or the code of what kept it. */
async function goes(url: string, route: { proxy?: string; ca?: string }): Promise<string> {
  if (url.startsWith('http')) {
    return request(url, { method: 'POST', body: '', timeoutMs: 30_000, ...route }).then(
      ({ body }) => body,
      (error) => `${error.code}: ${error.message} ${String(error.cause ?? '')}`
    )
  }
  const { events, until } = eventLog()
  const socket = connect(url, { handshakeTimeoutMs: 30_000, maxPayloadBytes: 1000, ...route }, events)
  const closed = until('closed').then(([, , error]) => String(error))
  const message = until('message').then(([, payload]) => String(payload))
  const first = await Promise.race([closed, message])
  socket.terminate()
  await closed
  return first
}

async function greeting(tls?: { key: string; cert: string }): Promise<string> {
  const { address } = await serving(
    {
      request: async ({ headers }) => ({ status: 200, body: headers['proxy-authorization'] ?? 'hello' }),
      connected: (connection) => {
        connection.send('hello')
        return { message() {}, pong() {}, closed() {}, ping: () => true }
      }
    },
    tls
  )
  return address
}

const ways = ['http', 'https'].flatMap((proxy) => ['http', 'https', 'ws', 'wss'].map((scheme) => [proxy, scheme]))

describe.each(ways)('by an %s proxy to %s', (proxyScheme, scheme) => {
  const isSecure = scheme === 'https' || scheme === 'wss'

  test('with its login, which goes to nobody else', async () => {
    const tls = await certificate()
    const address = await greeting(isSecure ? tls : undefined)
    const proxy = await proxying(undefined, { login: LOGIN, ...(proxyScheme === 'https' && { tls }) })
    const route = { proxy: proxy.url.replace('://', `://${URL_LOGIN}@`), ca: tls.cert }
    expect(await goes(`${scheme}://${address}/`, route)).toBe('hello')
    expect(proxy.targets).toEqual([address])
    // Another one, or none: refused, and not a word of it.
    for (const login of ['', 'me:geheim@']) {
      const answer = await goes(`${scheme}://${address}/`, { ...route, proxy: proxy.url.replace('://', `://${login}`) })
      expect(answer).toMatch(/^PROXY_REFUSED/)
      expect(answer).not.toMatch(/geheim|me:/)
    }
  })

  test.each([302, 511])('where something answers %i in its place', async (status) => {
    const tls = await certificate()
    const proxy = await proxying(status, proxyScheme === 'https' ? { tls } : {})
    const answer = await goes(`${scheme}://127.0.0.1:1/`, { proxy: proxy.url, ca: tls.cert })
    expect(answer).toMatch(new RegExp(`^HTTP_${status}`))
  })
})

test.each(['https', 'wss'])(
  'an interceptor of %s shows another certificate; trusted is one that is named',
  async (scheme) => {
    const [own, other] = [await certificate(), await certificate()]
    const address = await greeting(own)
    const proxy = await proxying(undefined, { instead: await greeting(other) })
    const asked = (ca: string): Promise<string> => goes(`${scheme}://${address}/`, { proxy: proxy.url, ca })
    expect(await asked(own.cert)).toMatch(/^DEPTH_ZERO_SELF_SIGNED_CERT/)
    expect(await asked(other.cert)).toBe('hello')
  }
)

test.each(['https', 'wss'])('a portal that speaks no TLS on the port of %s', async (scheme) => {
  expect(await goes(`${scheme}://${await greeting()}/`, {})).toMatch(/^(EPROTO|ERR_SSL_)/)
})

test.each(['https', 'wss'])('a proxy whose certificate nobody has signed, on the way to %s', async (scheme) => {
  const proxy = await proxying(undefined, { tls: await certificate() })
  expect(await goes(`${scheme}://127.0.0.1:1/`, { proxy: proxy.url })).toMatch(/^DEPTH_ZERO_SELF_SIGNED_CERT/)
})
