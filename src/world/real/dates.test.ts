import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { generate } from 'selfsigned'
import { expect, onTestFinished, test } from 'vitest'
import { eventLog, proxying, serving, speaking } from './fixtures.ts'
import { request } from './http.ts'
import { connect } from './websocket.ts'

const DAY_MS = 86_400_000

interface Pair {
  readonly key: string
  readonly cert: string
}

/** A certificate for 127.0.0.1 (or another name), valid for these days from now, signed by a CA or by itself. */
async function certified(fromDays: number, toDays: number, ca?: Pair, ip = '127.0.0.1'): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: ip }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + fromDays * DAY_MS),
    notAfterDate: new Date(Date.now() + toDays * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip }] }],
    ...(ca && { ca })
  })
  return { key: made.private, cert: made.cert }
}

async function authority(fromDays = -1000, toDays = 1000, name = 'CA'): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + fromDays * DAY_MS),
    notAfterDate: new Date(Date.now() + toDays * DAY_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true }
    ]
  })
  return { key: made.private, cert: made.cert }
}

const dateIn = (days: number): string => new Date(Date.now() + days * DAY_MS).toUTCString()

/** Asks a server with this certificate, which says that it is so many days from now. */
async function ask(tls: Pair, date: string, ca: string, more: object = { judgeDates: {} }): Promise<string> {
  const seen: string[] = []
  const { address } = await serving(
    {
      async request({ headers }) {
        seen.push(headers['authorization']!)
        return { status: 200, headers: { date }, body: 'hello' }
      }
    },
    tls
  )
  const headers = { authorization: 'secret' }
  const asked = request(`https://${address}/`, { method: 'POST', headers, timeoutMs: 30_000, ca, ...more })
  return asked.then(
    ({ body }) => body,
    (error) => `${error.code} ${seen.length}`
  )
}

test('dates are judged by the time of the answer, when this is asked for', async () => {
  const ca = await authority()
  for (const days of [-500, 500]) {
    const tls = await certified(days - 1, days + 1, ca)
    expect(await ask(tls, dateIn(days), ca.cert)).toBe('hello')
    expect(await ask(tls, dateIn(days), ca.cert, {})).toBe(`${days < 0 ? 'CERT_HAS_EXPIRED' : 'CERT_NOT_YET_VALID'} 0`)
  }
})

test('an answer that says another time is not used', async () => {
  const ca = await authority()
  const tls = await certified(499, 501, ca)
  expect(await ask(tls, dateIn(498), ca.cert)).toBe('CERT_NOT_YET_VALID 1')
  expect(await ask(tls, dateIn(502), ca.cert)).toBe('CERT_HAS_EXPIRED 1')
  expect(await ask(tls, 'some day', ca.cert)).toBe('CERT_NOT_YET_VALID 1')
  const elseMs = Date.now() + 500 * DAY_MS
  expect(await ask(tls, 'some day', ca.cert, { judgeDates: { elseMs } })).toBe('hello')
})

test('a time that cannot be judges nothing', async () => {
  const ca = await authority()
  const tls = await certified(-600, -400, ca)
  const at = async (days: number): Promise<string> => {
    const judgeDates = { notBeforeMs: Date.now() + days * DAY_MS }
    return ask(tls, dateIn(-500), ca.cert, { judgeDates })
  }
  expect(await at(-501)).toBe('hello')
  expect(await at(-499)).toBe('CERT_NOT_YET_VALID 1')
})

test('the dates of who signed count too', async () => {
  const ca = await authority(400, 450)
  expect(await ask(await certified(300, 500, ca), dateIn(420), ca.cert)).toBe('hello')
  expect(await ask(await certified(300, 500, ca), dateIn(480), ca.cert)).toBe('CERT_HAS_EXPIRED 1')
})

test('a certificate that is right by the clock needs no date', async () => {
  const ca = await authority()
  expect(await ask(await certified(-1, 1, ca), 'some day', ca.cert)).toBe('hello')
})

test.each([-500, 0, 500])('nothing is sent under what another CA has signed (%d days)', async (days) => {
  const [ca, other, sameName] = [await authority(), await authority(-1000, 1000, 'other'), await authority()]
  for (const wrong of [other, sameName]) {
    expect(await ask(await certified(days - 1, days + 1, wrong), dateIn(days), ca.cert)).toMatch(
      /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED) 0$/
    )
  }
  expect(await ask(await certified(days - 1, days + 1), dateIn(days), ca.cert)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT 0')
})

test('nor under one that no CA has signed, or for another host', async () => {
  const ca = await authority()
  const host = await certified(499, 501, ca)
  const signedByHost = await certified(499, 501, host)
  const chained = { key: signedByHost.key, cert: `${signedByHost.cert}\n${host.cert}` }
  expect(await ask(chained, dateIn(500), ca.cert)).toMatch(/ 0$/)
  const elsewhere = await certified(499, 501, ca, '127.0.0.2')
  expect(await ask(elsewhere, dateIn(500), ca.cert)).toBe('ERR_TLS_CERT_ALTNAME_INVALID 0')
})

test('a certificate that is trusted itself is judged alike', async () => {
  const tls = await certified(499, 501)
  expect(await ask(tls, dateIn(500), tls.cert)).toBe('hello')
  expect(await ask(tls, dateIn(0), tls.cert)).toBe('CERT_NOT_YET_VALID 1')
})

test('through a proxy too', async () => {
  const ca = await authority()
  const tls = await certified(499, 501, ca)
  const through = { judgeDates: {}, proxy: (await proxying()).url }
  expect(await ask(tls, dateIn(500), ca.cert, through)).toBe('hello')
  expect(await ask(tls, dateIn(0), ca.cert, through)).toBe('CERT_NOT_YET_VALID 1')
  expect(await ask(tls, dateIn(500), (await authority()).cert, through)).toMatch(/ 0$/)
  expect(await ask(await certified(499, 501, ca, '127.0.0.2'), dateIn(500), ca.cert, through)).toMatch(/ALTNAME.* 0$/)
})

test('it does nothing to what goes without TLS', async () => {
  const { address } = await serving({ request: async () => ({ status: 200, body: 'hello' }) })
  const answer = await request(`http://${address}/`, { method: 'GET', timeoutMs: 30_000, judgeDates: {} })
  expect(answer.body).toBe('hello')
})

test('a handshake that does not end takes no longer than is allowed, and is let go', async () => {
  const { promise: ended, resolve } = Promise.withResolvers<unknown>()
  const port = await speaking((socket) => void socket.once('close', resolve).resume())
  const asked = request(`https://127.0.0.1:${port}/`, { method: 'GET', timeoutMs: 50, judgeDates: {} })
  await expect(asked).rejects.toMatchObject({ code: 'TIMEOUT' })
  await ended
})

/** A websocket's server that says a date with its 101, or none, and then a message. */
async function shaking(tls: Pair, date?: string, status = '101 Switching Protocols'): Promise<string> {
  const server = createServer(tls, (socket) => {
    socket.on('error', () => {})
    socket.once('data', (head) => {
      const key = /sec-websocket-key: (.*)\r/i.exec(String(head))?.[1]
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      const headers = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`
      socket.write(`HTTP/1.1 ${status}\r\n${headers}\r\n${date ? `Date: ${date}\r\n` : ''}\r\n`)
      socket.write(Buffer.from([0x81, 2, 104, 105]))
    })
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `wss://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** Everything that a websocket reports. */
async function listen(url: string, ca: string, judgeDates?: { elseMs?: number }): Promise<string[]> {
  const { events, seen, until } = eventLog()
  const options = { handshakeTimeoutMs: 30_000, maxPayloadBytes: 1000, ca, ...(judgeDates && { judgeDates }) }
  const socket = connect(url, options, events)
  await Promise.race([until('message'), until('closed')])
  socket.terminate()
  await until('closed')
  return seen.map(([name, first, second]) => (name === 'closed' ? `closed ${second}` : `${name} ${String(first)}`))
}

test('a websocket is judged by its handshake, else by the time that is known', async () => {
  const ca = await authority()
  const tls = await certified(499, 501, ca)
  const then = Date.now() + 500 * DAY_MS
  const heard = ['opened [object Object]', 'message hi', 'closed undefined']
  expect(await listen(await shaking(tls, dateIn(500)), ca.cert, {})).toEqual(heard)
  expect(await listen(await shaking(tls), ca.cert, { elseMs: then })).toEqual(heard)
  expect(await listen(await shaking(tls), ca.cert, {})).toEqual(['closed CERT_NOT_YET_VALID'])
  expect(await listen(await shaking(tls, dateIn(0)), ca.cert, { elseMs: then })).toEqual(['closed CERT_NOT_YET_VALID'])
  expect(await listen(await shaking(tls, dateIn(502)), ca.cert, {})).toEqual(['closed CERT_HAS_EXPIRED'])
  expect(await listen(await shaking(tls, dateIn(0), '404 No'), ca.cert, {})).toEqual(['closed CERT_NOT_YET_VALID'])
  expect(await listen(await shaking(tls, dateIn(500), '404 No'), ca.cert, {})).toEqual(['closed HTTP_404'])
  expect(await listen(await shaking(tls, dateIn(500)), ca.cert)).toEqual(['closed CERT_NOT_YET_VALID'])
  const other = await certified(499, 501, await authority())
  expect(await listen(await shaking(other, dateIn(500)), ca.cert, {})).toEqual([
    expect.stringMatching(/^closed (UNABLE|CERT_)/)
  ])
})
