import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { ServerConnection, WebSocketOptions } from '../sockets.ts'
import { certificate, eventLog, proxying, serving, speaking } from './fixtures.ts'
import { connect } from './websocket.ts'

const options: WebSocketOptions = { handshakeTimeoutMs: 30_000, maxPayloadBytes: 1000 }

/** A server that shakes hands and then sends what it is told, byte for byte. */
async function raw(): Promise<{ url: string; socket: Promise<Socket> }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const port = await speaking((socket) => {
    socket.once('data', (head) => {
      const key = /sec-websocket-key: (.*)\r/i.exec(String(head))?.[1]
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      const headers = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n\r\n`)
      resolve(socket)
    })
  })
  return { url: `ws://127.0.0.1:${port}/`, socket: promise }
}

const frame = (first: number, payload: string | Buffer): Buffer => {
  const body = Buffer.from(payload as string)
  const length = body.length < 126 ? [body.length] : [126, body.length >> 8, body.length & 255]
  return Buffer.concat([Buffer.from([first, ...length]), body])
}

test('reports nothing before it has returned, and the handshake first', async () => {
  const { address } = await serving({
    connected(connection) {
      connection.send('hello')
      return { message() {}, pong() {}, closed() {}, ping: () => true }
    }
  })
  const { events, seen, until } = eventLog()
  connect(`ws://${address}/a?b=c`, options, events)
  expect(seen).toEqual([])
  await until('message')
  expect(seen).toEqual([
    ['opened', expect.objectContaining({ upgrade: 'websocket' })],
    ['message', Buffer.from('hello'), false]
  ])
})

test('sends and receives text, binary, pings and pongs', async () => {
  const heard: unknown[] = []
  const { address } = await serving({
    connected: (connection) => ({
      message(payload, binary) {
        heard.push(payload.toString(), binary, connection.url)
        connection.send(binary ? payload : payload.toString())
      },
      pong: () => heard.push('pong'),
      closed() {},
      ping() {
        connection.ping(Buffer.from('p'))
        return true
      }
    })
  })
  const { events, seen, until } = eventLog()
  const socket = connect(`ws://${address}/a?b=c`, options, events)
  socket.send('too early, and dropped')
  await until('opened')
  socket.send('text')
  socket.send(Buffer.from([1, 2]))
  socket.ping(Buffer.from('mine'))
  await until('pong')
  await until('ping')
  expect(seen).toContainEqual(['message', Buffer.from('text'), false])
  expect(seen).toContainEqual(['message', Buffer.from([1, 2]), true])
  expect(seen).toContainEqual(['pong', Buffer.from('mine')])
  await expect.poll(() => heard).toEqual(['text', false, '/a?b=c', '\u0001\u0002', true, '/a?b=c', 'pong'])
})

test('bytes that are not UTF-8 come as they are, and fragments as one', async () => {
  const { url, socket } = await raw()
  const { events, seen, until } = eventLog()
  connect(url, options, events)
  const peer = await socket
  peer.write(frame(0x81, Buffer.from([0xff, 0xc0, 0x80])))
  peer.write(Buffer.concat([frame(0x01, 'one '), frame(0x89, 'p'), frame(0x00, 'two '), frame(0x80, 'three')]))
  await until('message', 2)
  expect(seen.slice(1)).toEqual([
    ['message', Buffer.from([0xff, 0xc0, 0x80]), false],
    ['ping'],
    ['message', Buffer.from('one two three'), false]
  ])
})

test('counts what is not a whole frame yet', async () => {
  const { url, socket } = await raw()
  const { events, until } = eventLog()
  const connection = connect(url, { ...options, maxPayloadBytes: 100_000 }, events)
  const peer = await socket
  const whole = frame(0x82, Buffer.alloc(50_000))
  peer.write(frame(0x8a, 'a pong'))
  await until('pong')
  await expect.poll(() => connection.partialBytes()).toBe(0)
  peer.write(whole.subarray(0, 20_000))
  await expect.poll(() => connection.partialBytes()).toBe(20_000)
  peer.write(whole.subarray(20_000, 30_000))
  await expect.poll(() => connection.partialBytes()).toBe(30_000)
  peer.write(whole.subarray(30_000))
  await until('message')
  await expect.poll(() => connection.partialBytes()).toBe(0)
})

test.each(['ws', 'wss'])('%s: a paused one reads once, and goes on where it was', async (scheme) => {
  const tls = await certificate()
  const servers: ServerConnection[] = []
  const connected = (connection: ServerConnection) => {
    servers.push(connection)
    return { message() {}, pong() {}, closed() {}, ping: () => true }
  }
  const { address } = await serving({ connected }, scheme === 'wss' ? tls : undefined)
  const open = async () => {
    const log = eventLog()
    const connection = connect(
      `${scheme}://${address}/`,
      { ...options, maxPayloadBytes: 1e6, ca: tls.cert },
      log.events
    )
    await log.until('opened')
    return { ...log, connection }
  }
  const { connection, seen, until } = await open()
  const other = await open()
  connection.pause()

  // Each is read on its own, if at all: the other's round trip is over only after it could have been.
  for (let i = 1; i <= 5; i++) {
    servers[0]!.send('x'.repeat(100))
    other.connection.ping(Buffer.from('x'))
    await other.until('pong', i)
  }
  expect(connection.partialBytes()).toBe(102)

  const payload = Buffer.alloc(100_000, 7)
  for (let i = 0; i < 100; i++) servers[0]!.send(payload)
  // The kernel's buffers fill up, and the rest stays with the server.
  await expect.poll(() => servers[0]!.unsentBytes()).toBeGreaterThan(0)
  expect(connection.partialBytes()).toBe(102)
  expect(seen.length).toBe(1)

  connection.resume()
  await until('message', 105)
  expect(seen.slice(6).every(([, got]) => payload.equals(got as Buffer))).toBe(true)
  await expect.poll(() => servers[0]!.unsentBytes()).toBe(0)
})

test.each([
  ['a larger frame than allowed', frame(0x81, 'x'.repeat(1001)), 'MESSAGE_TOO_BIG'],
  ['reserved bits', frame(0xf1, 'x'), 'BAD_FRAME'],
  ['an unknown kind', frame(0x83, 'x'), 'BAD_FRAME']
])('%s ends it at once', async (_, bytes, error) => {
  const { url, socket } = await raw()
  const { events, seen, until } = eventLog()
  connect(url, options, events)
  const peer = await socket
  peer.write(Buffer.concat([frame(0x81, 'before'), bytes, frame(0x81, 'after')]))
  expect(await until('closed')).toEqual(['closed', 1006, error])
  expect(seen.map(([name]) => name)).toEqual(['opened', 'message', 'closed'])
})

test('a close frame gives its code, an end without one 1006', async () => {
  const closing = await raw()
  const one = eventLog()
  connect(closing.url, options, one.events)
  const peer = await closing.socket
  peer.end(frame(0x88, Buffer.from([1001 >> 8, 1001 & 255])))
  expect(await one.until('closed')).toEqual(['closed', 1001, undefined])

  const ending = await raw()
  const two = eventLog()
  connect(ending.url, options, two.events)
  ;(await ending.socket).end()
  expect(await two.until('closed')).toEqual(['closed', 1006, undefined])
})

test('terminating it reports closed once, without an error, whenever it comes', async () => {
  const { address } = await serving({})
  const one = eventLog()
  const early = connect(`ws://${address}/`, options, one.events)
  early.terminate()
  expect(await one.until('closed')).toEqual(['closed', 1006, undefined])

  const two = eventLog()
  const late = connect(`ws://${address}/`, options, two.events)
  await two.until('opened')
  late.terminate()
  late.terminate()
  expect(await two.until('closed')).toEqual(['closed', 1006, undefined])
  late.send('nobody')
  late.ping(Buffer.from('nobody'))
  late.pause()
  late.resume()
  late.terminate()
  expect(two.seen.length).toBe(2)
})

test('an answer other than 101 is named by its status', async () => {
  const port = await speaking((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'))
  })
  const { events, seen, until } = eventLog()
  connect(`ws://127.0.0.1:${port}/`, options, events)
  expect(await until('closed')).toEqual(['closed', 1006, 'HTTP_403'])
  expect(seen.length).toBe(1)
})

test.each([
  ['nobody there', 'ws://127.0.0.1:1/', 'ECONNREFUSED'],
  ['not a URL', 'nonsense', 'ERR_INVALID_URL'],
  ['not a websocket', 'ftp://127.0.0.1/', 'ERR_INVALID_URL']
])('%s', async (_, url, error) => {
  const { events, seen, until } = eventLog()
  connect(url, options, events)
  expect(seen).toEqual([])
  expect(await until('closed')).toEqual(['closed', 1006, error])
})

test('a handshake that takes too long is given up', async () => {
  const port = await speaking(() => {})
  const { events, until } = eventLog()
  connect(`ws://127.0.0.1:${port}/`, { ...options, handshakeTimeoutMs: 50 }, events)
  expect(await until('closed')).toEqual(['closed', 1006, 'TIMEOUT'])
})

test('a certificate that nobody trusts is refused', async () => {
  const { address } = await serving({}, await certificate())
  const { events, until } = eventLog()
  connect(`wss://${address}/`, options, events)
  expect(await until('closed')).toEqual(['closed', 1006, 'DEPTH_ZERO_SELF_SIGNED_CERT'])
})

test.each(['ws', 'wss'])('goes through a proxy to %s', async (scheme) => {
  const tls = await certificate()
  const { address } = await serving({}, scheme === 'wss' ? tls : undefined)
  const proxy = await proxying()
  const { events, until } = eventLog()
  const connection = connect(`${scheme}://${address}/`, { ...options, ca: tls.cert, proxy: proxy.url }, events)
  await until('opened')
  connection.ping(Buffer.from('x'))
  await until('pong')
  expect(proxy.targets).toEqual([address])
  connection.terminate()
  await until('closed')
  await expect.poll(() => proxy.open.size).toBe(0)
})

test('a proxy may refuse, or never answer', async () => {
  const refusing = await proxying(403)
  const one = eventLog()
  connect('wss://127.0.0.1:1/', { ...options, proxy: refusing.url }, one.events)
  expect(await one.until('closed')).toEqual(['closed', 1006, 'PROXY_REFUSED'])

  const silent = await proxying(null)
  const two = eventLog()
  connect('wss://127.0.0.1:1/', { ...options, handshakeTimeoutMs: 50, proxy: silent.url }, two.events)
  expect(await two.until('closed')).toEqual(['closed', 1006, 'TIMEOUT'])
  await expect.poll(() => silent.open.size).toBe(0)
})
