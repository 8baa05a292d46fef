import { describe, expect, test } from 'vitest'
import type { Route } from '../world/sockets.ts'
import type { World } from '../world/world.ts'
import { askCode, type CodeSource } from './code.ts'
import { Connection, type ConnectionOptions, type Ending } from './connection.ts'
import { Lab } from './fixtures.ts'

const options: ConnectionOptions = {
  pingIntervalMs: 10_000,
  silenceMs: 25_000,
  maxPayloadBytes: 1e6,
  relayTime() {},
  unknownSinceMs: () => undefined,
  received() {}
}

const noEvents = { heard() {}, proof() {}, frame() {}, ended() {} }

/** A connection in a lab without a roster, checked every 500 ms. `told` is what it reports. */
function connect(lab: Lab, world: World = lab.pi.world) {
  const told: string[] = []
  const connection = new Connection(world, lab.source('spin30'), options, {
    heard: () => void told.push('heard'),
    proof: (pong) => void told.push(`proof ${pong}`),
    frame: (payload) => void told.push(`frame ${payload}`),
    ended: ({ cause, code }: Ending) => void told.push(`ended ${cause} ${code}`)
  })
  world.timers.every(500, () => connection.check())
  return { connection, told }
}

async function lab(): Promise<Lab> {
  const lab = new Lab({ relay: { traps: { join: 'never' } } })
  await lab.simulation.complete(lab.relay.start())
  return lab
}

describe('a connection', () => {
  test('goes from asking to heard within a moment, and pings every 10 s', async () => {
    const it = await lab()
    const { connection, told } = connect(it)
    expect(connection.state).toBe('asking')
    await it.simulation.run(500)
    expect(connection.state).toBe('heard')
    expect(told).toEqual(['heard', 'proof 1'])
    await it.simulation.run(32_000)
    expect(told).toEqual(['heard', 'proof 1', 'proof 2', 'proof 3', 'proof 4'])
  })

  test.each([true, false])('judges certificates by the time of the relay where none is known: %s', async (unknown) => {
    const it = await lab()
    const { sockets } = it.pi.world
    const dateMs = Date.parse('2031-01-01T00:00:00Z')
    const asked: unknown[] = []
    const world = {
      ...it.pi.world,
      sockets: {
        async request(_: string, { judgeDates }: Route) {
          asked.push(judgeDates)
          const headers = { date: new Date(dateMs).toUTCString() }
          const certificate = { fromMs: dateMs, toMs: dateMs }
          return { status: 200, headers, body: JSON.stringify({ uri: 'wss://relay/x' }), certificate }
        },
        connect(...[url, given, events]: Parameters<typeof sockets.connect>) {
          asked.push(given.judgeDates)
          return sockets.connect(url, given, events)
        }
      }
    } as unknown as World
    const source = { ...(it.source('spin30') as CodeSource), accessUrl: 'https://relay/session/spin30-log' }
    new Connection(world, source, { ...options, unknownSinceMs: () => (unknown ? 7 : undefined) }, noEvents)
    await it.simulation.run(500)
    const judged = [{ notBeforeMs: 7 }, { notBeforeMs: 7, elseMs: dateMs }]
    expect(asked).toEqual(unknown ? judged : [undefined, undefined])
  })

  test('with a code that was used already ends as refused', async () => {
    const it = await lab()
    const { sockets } = it.pi.world
    const asked = askCode(it.pi.world, it.source('spin30') as CodeSource, { timeoutMs: 1000, relayTime() {} })
    const uri = await it.simulation.complete(asked)
    const world = {
      ...it.pi.world,
      sockets: {
        request: async () => ({ status: 200, headers: {}, body: JSON.stringify({ uri }) }),
        connect: sockets.connect.bind(sockets)
      }
    } as unknown as World
    const first = connect(it, world)
    await it.simulation.run(1000)
    const second = connect(it, world)
    await it.simulation.run(6000)
    expect(first.connection.state).toBe('heard')
    expect(second.told).toEqual(['ended refused UNDERSTUDY_RELAY_CODE_REFUSED'])
  })

  test('is heard by a message too, before the pong', async () => {
    const it = await lab()
    const { connection, told } = connect(it)
    connection.pause()
    await it.simulation.run(500)
    ;(await it.student()).send('{}')
    await it.simulation.run(500)
    expect(told).toEqual([])
    connection.resume()
    await it.simulation.run(500)
    expect(told).toEqual(['heard', 'proof 1', 'frame {}'])
  })

  test('that is excused is given the whole time again', async () => {
    const it = await lab()
    const { connection, told } = connect(it)
    await it.simulation.run(1000)
    it.relay.freeze()
    await it.simulation.run(20_000)
    connection.excuse()
    await it.simulation.run(24_000)
    expect(connection.state).toBe('heard')
    await it.simulation.run(1500)
    expect(told.at(-1)).toBe('ended silent UNDERSTUDY_RELAY_SILENT')
  })

  test('reports nothing after it was stopped', async () => {
    const it = await lab()
    const { connection, told } = connect(it)
    await it.simulation.run(1000)
    const student = await it.student()
    student.send('{}')
    await it.simulation.complete(connection.stop())
    await it.simulation.run(60_000)
    expect(told.at(-1)).toBe('ended stopped undefined')
    expect(it.relay.connections('spin30')).toBe(1)
    expect(connection.send('{}')).toBe(false)
  })

  test('that the relay drops while it is opening ends as unreachable', async () => {
    const it = await lab()
    it.relay.trap({ silent: true })
    const { told } = connect(it)
    await it.simulation.run(500)
    await it.simulation.complete(it.relay.stop())
    await it.simulation.run(500)
    expect(told).toEqual(['ended connecting UNDERSTUDY_RELAY_UNREACHABLE'])
  })
})
