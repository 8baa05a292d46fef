import { expect, test } from 'vitest'
import type { ServerConnection, ServerHandlers, WebSocketEvents } from '../../world/sockets.ts'
import type { World } from '../../world/world.ts'
import { Simulation } from './simulation.ts'

const options = { handshakeTimeoutMs: 5000, maxPayloadBytes: 10_000_000 }

/** A relay that notes what it hears, a Pi, and what the Pi hears. */
async function pair(seed = 1, handlers: Partial<ServerHandlers> = {}) {
  const simulation = new Simulation(seed)
  const relay = simulation.machine('relay')
  const pi = simulation.machine('pi')
  const connections: ServerConnection[] = []
  const heard: string[] = []
  const server = await simulation.complete(
    relay.world.sockets.serve(
      { host: '0.0.0.0', port: 80 },
      {
        request: async ({ method, url, headers, body }) => ({
          status: 200,
          headers: { 'X-Test': 'yes' },
          body: `${method} ${url} ${headers['authorization']} ${body}`
        }),
        connected(connection) {
          connections.push(connection)
          return {
            message: (payload, binary) => heard.push(`${payload} ${binary}`),
            pong: () => heard.push('pong'),
            ping: () => true,
            closed: () => heard.push('closed')
          }
        },
        ...handlers
      }
    )
  )
  const seen: string[] = []
  const events: WebSocketEvents = {
    opened: () => seen.push('opened'),
    message: (payload, binary) => seen.push(payload.length > 20 ? `${payload.length} bytes` : `${payload} ${binary}`),
    ping: () => seen.push('ping'),
    pong: (payload) => seen.push(`pong ${payload}`),
    closed: (code, error) => seen.push(`closed ${code} ${error}`)
  }
  const connect = (world: World = pi.world, url = 'ws://relay/session/spin30?code=1') =>
    world.sockets.connect(url, options, events)
  return { simulation, relay, pi, server, connections, heard, seen, events, connect }
}

test('frames arrive in order, both ways, each with its kind', async () => {
  const { simulation, connect, connections, heard, seen } = await pair()
  const socket = connect()
  expect(seen).toEqual([])
  await simulation.runUntil(() => seen.length > 0, 1000)
  expect(connections[0]?.url).toBe('/session/spin30?code=1')
  socket.ping(Buffer.from('p'))
  socket.send('up')
  for (let i = 0; i < 5; i++) connections[0]?.send(i % 2 ? Buffer.from(`${i}`) : `${i}`)
  connections[0]?.ping(Buffer.alloc(0))
  await simulation.run(1000)
  expect(seen.toSorted()).toEqual(['0 false', '1 true', '2 false', '3 true', '4 false', 'opened', 'ping', 'pong p'])
  expect(seen.filter((line) => /^\d/.test(line))).toEqual(['0 false', '1 true', '2 false', '3 true', '4 false'])
  expect(heard).toEqual(['up false', 'pong'])
})

test('a ping is not answered when the server says so', async () => {
  const connected = () => ({ message() {}, pong() {}, closed() {}, ping: () => false })
  const { simulation, connect, seen } = await pair(1, { connected })
  const socket = connect()
  await simulation.run(1000)
  socket.ping(Buffer.from('p'))
  await simulation.run(1000)
  expect(seen).toEqual(['opened'])
})

test('HTTP requests are answered, reset, refused or time out', async () => {
  const { simulation, pi, relay } = await pair()
  const ask = (url: string) =>
    simulation.complete(
      pi.world.sockets.request(url, { method: 'POST', headers: { Authorization: 'a' }, body: 'b', timeoutMs: 3000 })
    )
  const answer = await ask('https://relay:80/session/x?y=1')
  expect(answer).toMatchObject({ status: 200, body: 'POST /session/x?y=1 a b', headers: { 'x-test': 'yes' } })
  expect(answer.headers['date']).toBe('Mon, 02 Nov 2026 08:00:00 GMT')
  await expect(ask('http://relay:81/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await expect(ask('http://nobody/')).rejects.toMatchObject({ code: 'ENOTFOUND' })
  simulation.network.fail('relay', 'CERT_HAS_EXPIRED')
  await expect(ask('https://relay/')).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' })
  simulation.network.fail('relay', undefined)
  simulation.network.partition(pi, relay)
  await expect(ask('http://relay/')).rejects.toMatchObject({ code: 'TIMEOUT' })
})

test('a handler that gives nothing resets, and so does a server that is killed meanwhile', async () => {
  const { simulation, pi } = await pair(1, { request: async () => undefined })
  const ask = (host: string) => pi.world.sockets.request(`http://${host}/`, { method: 'GET', timeoutMs: 3000 })
  await expect(simulation.complete(ask('relay'))).rejects.toMatchObject({ code: 'ECONNRESET' })
  const other = await pair(1, { request: () => new Promise(() => {}) })
  const answer = other.pi.world.sockets.request('http://relay/', { method: 'GET', timeoutMs: 3000 })
  other.simulation.schedule(100_000, () => other.relay.kill())
  await expect(other.simulation.complete(answer)).rejects.toMatchObject({ code: 'ECONNRESET' })
})

test.each([
  ['ws://relay:81/', 'ECONNREFUSED'],
  ['ws://nobody/', 'ENOTFOUND'],
  ['ws://off/', 'TIMEOUT'],
  ['wss://portal/', 'HTTP_302']
])('connecting to %s fails with %s', async (url, code) => {
  const { simulation, connect, pi, seen } = await pair()
  simulation.machine('off').cutPower()
  simulation.network.fail('portal', 'HTTP_302')
  connect(pi.world, url)
  await simulation.run(6000)
  expect(seen).toEqual([`closed 1006 ${code}`])
})

test("a paused socket fills the buffers, then the server's own", async () => {
  const { simulation, connect, connections, seen } = await pair()
  const socket = connect()
  await simulation.run(1000)
  socket.pause()
  const [connection] = connections
  for (let i = 0; i < 400; i++) connection?.send(Buffer.alloc(994))
  await simulation.run(1000)
  expect(seen).toEqual(['opened'])
  expect(connection?.unsentBytes()).toBe(200_000)
  socket.resume()
  await simulation.run(1000)
  expect(seen.length).toBe(401)
  expect(connection?.unsentBytes()).toBe(0)
})

test('a large frame comes in parts, and too large a one ends the connection', async () => {
  const { simulation, connect, connections, seen } = await pair()
  const socket = connect()
  await simulation.run(1000)
  connections[0]?.send(Buffer.alloc(1_000_000))
  await simulation.runUntil(() => socket.partialBytes() > 150_000, 1000)
  expect(seen).toEqual(['opened'])
  await simulation.run(2000)
  expect(socket.partialBytes()).toBe(0)
  connections[0]?.send(Buffer.alloc(10_000_001))
  await simulation.run(1000)
  expect(seen).toEqual(['opened', '1000000 bytes', 'closed 1006 MESSAGE_TOO_BIG'])
})

test('what a stalled process is sent waits for it', async () => {
  const { simulation, connect, connections, pi, seen } = await pair()
  connect()
  await simulation.run(1000)
  pi.stall(10_000)
  connections[0]?.send('late')
  await simulation.run(9999)
  expect(seen).toEqual(['opened'])
  await simulation.run(1)
  expect(seen).toEqual(['opened', 'late false'])
})

test('a partition says nothing; when it heals, what was sent arrives', async () => {
  const { simulation, connect, connections, pi, relay, heard, seen } = await pair()
  const socket = connect()
  await simulation.run(1000)
  simulation.network.partition(pi, relay)
  connections[0]?.send('one')
  socket.send('two')
  await simulation.run(60_000)
  expect([...seen, ...heard]).toEqual(['opened'])
  simulation.network.heal(pi, relay)
  connections[0]?.send('three')
  await simulation.run(1000)
  expect(seen).toEqual(['opened', 'one false', 'three false'])
  expect(heard).toEqual(['two false'])
})

test('what froze in a partition has not sent anything when it heals, nor what lost its power', async () => {
  const { simulation, connect, connections, pi, relay, seen } = await pair()
  connect()
  connect()
  await simulation.run(1000)
  simulation.network.partition(pi, relay)
  for (const connection of connections) connection.send('never')
  await simulation.run(1000)
  connections[0]?.freeze()
  relay.cutPower()
  simulation.network.heal(pi, relay)
  await simulation.run(60_000)
  expect(seen).toEqual(['opened', 'opened'])
})

test('both sides learn of an end; the one that froze says nothing', async () => {
  const { simulation, connect, connections, heard, seen } = await pair()
  connect()
  await simulation.run(1000)
  connections[0]?.send('last')
  connections[0]?.terminate()
  await simulation.run(1000)
  expect(seen).toEqual(['opened', 'last false', 'closed 1006 undefined'])
  expect(heard).toEqual(['closed'])
  const socket = connect()
  await simulation.run(1000)
  connections[1]?.freeze()
  connections[1]?.send('never')
  socket.ping(Buffer.alloc(0))
  await simulation.run(60_000)
  expect(seen.slice(3)).toEqual(['opened'])
  socket.terminate()
  await simulation.run(1000)
  expect(seen.slice(3)).toEqual(['opened', 'closed 1006 undefined'])
})

test('a killed peer closes, one without power says nothing until it is asked again', async () => {
  const { simulation, connect, relay, seen, heard, pi } = await pair()
  const socket = connect()
  await simulation.run(1000)
  relay.cutPower()
  socket.send('anyone?')
  await simulation.run(60_000)
  expect(seen).toEqual(['opened'])
  relay.boot()
  await simulation.run(1000)
  expect(seen).toEqual(['opened'])
  socket.send('anyone?')
  await simulation.run(1000)
  expect(seen).toEqual(['opened', 'closed 1006 ECONNRESET'])
  await simulation.complete(
    relay.world.sockets.serve(
      { host: '0.0.0.0', port: 80 },
      {
        request: async () => undefined,
        connected: () => ({ message() {}, pong() {}, ping: () => true, closed: () => heard.push('closed') })
      }
    )
  )
  connect()
  await simulation.run(1000)
  pi.kill()
  await simulation.run(1000)
  expect(heard).toEqual(['closed'])
})

test('a reset breaks every connection between two machines', async () => {
  const { simulation, connect, heard, seen, pi, relay } = await pair()
  connect()
  await simulation.run(1000)
  simulation.network.reset(pi, relay)
  expect(seen).toEqual(['opened', 'closed 1006 ECONNRESET'])
  expect(heard).toEqual(['closed'])
})

test('closing a server frees its port and ends its connections', async () => {
  const { simulation, connect, server, seen, relay } = await pair()
  connect()
  await simulation.run(1000)
  const handlers: ServerHandlers = {
    request: async () => undefined,
    connected: () => ({ message() {}, pong() {}, ping: () => true, closed() {} })
  }
  const { sockets } = relay.world
  await expect(sockets.serve({ host: '0.0.0.0', port: 80 }, handlers)).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await server.close()
  await simulation.run(1000)
  expect(seen).toEqual(['opened', 'closed 1006 undefined'])
  expect((await sockets.serve({ host: '0.0.0.0', port: 80 }, handlers)).port).toBe(80)
})

test('a listener is asked with requests as Node has them', async () => {
  const { simulation, pi, relay } = await pair()
  const limits = { headerBytes: 4096, headersMs: 1000, requestMs: 1000, idleMs: 1000, connections: 9 }
  const { sockets } = relay.world
  const server = await simulation.complete(
    sockets.listen({ host: '0.0.0.0', port: 8088, ...limits }, (request, response) => {
      response.setHeader('x-host', request.headers.host ?? '')
      request.on('data', (data) => void response.write(`${request.method} ${request.url} ${data}`))
      request.on('end', () => void response.end())
    })
  )
  const ask = () => pi.world.sockets.request('http://relay:8088/a?b', { method: 'POST', body: 'text', timeoutMs: 5000 })
  expect(await simulation.complete(ask())).toMatchObject({
    status: 200,
    headers: { 'x-host': 'relay:8088' },
    body: 'POST /a?b text'
  })
  await simulation.complete(server.close())
  await expect(simulation.complete(ask())).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
