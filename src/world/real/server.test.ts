import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { expect, test, vi } from 'vitest'
import type { ServerConnection } from '../sockets.ts'
import { eventLog, serving } from './fixtures.ts'
import { request } from './http.ts'
import { connect } from './websocket.ts'

const options = { handshakeTimeoutMs: 30_000, maxPayloadBytes: 1000 }

/** A server with one client. */
async function pair(ping = true) {
  const told = { message: vi.fn(), pong: vi.fn(), closed: vi.fn(), ping: vi.fn(() => ping) }
  let server: ServerConnection | undefined
  const { address, close } = await serving({
    connected(connection) {
      server = connection
      return told
    }
  })
  const log = eventLog()
  const client = connect(`ws://${address}/`, options, log.events)
  await log.until('opened')
  return { told, server: server!, client, log, close, address }
}

test('a ping is answered only when wanted', async () => {
  const { told, client, log, server } = await pair(false)
  client.ping(Buffer.from('one'))
  await expect.poll(() => told.ping.mock.calls.length).toBe(1)
  server.send('later than any pong')
  await log.until('message')
  expect(log.seen.map(([name]) => name)).toEqual(['opened', 'message'])
})

test('ending a connection reaches the client as 1006', async () => {
  const { told, server, log } = await pair()
  server.terminate()
  expect(await log.until('closed')).toEqual(['closed', 1006, undefined])
  await expect.poll(() => told.closed.mock.calls.length).toBe(1)
})

test('the client going away is told', async () => {
  const { told, client } = await pair()
  client.terminate()
  await expect.poll(() => told.closed.mock.calls.length).toBe(1)
})

test('a frozen connection neither answers nor sends nor ends', async () => {
  const { told, client, server, log, address } = await pair()
  server.freeze()
  client.send('x')
  client.ping(Buffer.from('x'))
  server.send('x')
  server.ping(Buffer.from('x'))
  // Another connection's round trip is later than these would have been.
  const other = eventLog()
  const live = connect(`ws://${address}/`, options, other.events)
  await other.until('opened')
  live.ping(Buffer.from('x'))
  await other.until('pong')
  expect(log.seen.length).toBe(1)
  expect(told.ping).toHaveBeenCalledTimes(1)
  expect(told.message).toHaveBeenCalledTimes(0)
})

test('closing ends every connection', async () => {
  const { told, log, close, address } = await pair()
  const [host = '', port] = address.split(':')
  const idle = connectTcp(Number(port), host)
  await once(idle, 'connect')
  const ended = once(idle, 'close')
  await close()
  await ended
  expect(await log.until('closed')).toEqual(['closed', 1006, undefined])
  expect(told.closed).toHaveBeenCalledTimes(1)
})

test('a body of more than 1 MB, and a handler that fails, end the connection', async () => {
  const handler = vi.fn(() => Promise.reject(new Error('bug')))
  const { address } = await serving({ request: handler })
  const post = { method: 'POST' as const, timeoutMs: 30_000 }
  await expect(request(`http://${address}/`, { ...post, body: 'x'.repeat(1_100_000) })).rejects.toThrow()
  expect(handler).toHaveBeenCalledTimes(0)
  await expect(request(`http://${address}/`, post)).rejects.toMatchObject({ code: 'ECONNRESET' })
  expect(handler).toHaveBeenCalledTimes(1)
})

test('a port that is taken rejects', async () => {
  const { address } = await serving({})
  const { serve } = await import('./server.ts')
  const again = serve({ host: '127.0.0.1', port: Number(address.split(':')[1]) }, undefined as never)
  await expect(again).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
