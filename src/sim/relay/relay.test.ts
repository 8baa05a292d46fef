import { beforeEach, describe, expect, it } from 'vitest'
import type { HttpAnswer } from '../../world/sockets.ts'
import type { World } from '../../world/world.ts'
import { Simulation } from '../world/simulation.ts'
import { codeUrl } from './join.ts'
import { Probe } from './probe.ts'
import { SimulatedRelay } from './relay.ts'

let simulation: Simulation
let world: World
let relay: SimulatedRelay

beforeEach(async () => {
  simulation = new Simulation(1)
  relay = new SimulatedRelay(simulation.machine('relay').world, { host: 'relay', secret: 'a secret of the suites' })
  world = simulation.machine('lab').world
  await simulation.complete(relay.start())
})

const ask = (stream = 'spin30'): Promise<HttpAnswer> => {
  const { accessUrl, token } = relay.credentials(stream)
  const headers = { Authorization: token }
  return simulation.complete(world.sockets.request(accessUrl, { method: 'POST', headers, timeoutMs: 30_000 }))
}
const open = async (stream = 'spin30', expiresInS?: number): Promise<Probe> => {
  const credentials = relay.credentials(stream, expiresInS === undefined ? {} : { expiresInS })
  const probe = new Probe(world, await simulation.complete(codeUrl(world, credentials)))
  await simulation.complete(probe.untilMet('opened'))
  probe.connection.ping(Buffer.from('anyone?'))
  await simulation.run(1000)
  return probe
}
const pongs = (probe: Probe): number => probe.met.filter(({ kind }) => kind === 'pong').length
const isClosed = (probe: Probe): boolean => probe.met.some(({ kind }) => kind === 'closed')

describe('the simulated relay in simulated time', () => {
  it('pings every 54 s, and keeps whoever answers', async () => {
    const probe = await open()
    await simulation.run(10 * 60_000)
    expect(probe.met.filter(({ kind }) => kind === 'ping').length).toBe(11)
    expect(isClosed(probe)).toBe(false)
  })

  it('lets go of a peer that has not answered for 60 s', async () => {
    await open()
    simulation.network.partition(simulation.machine('lab'), simulation.machine('relay'))
    await simulation.run(50_000)
    expect(relay.connections('spin30')).toBe(1)
    await simulation.run(15_000)
    expect(relay.connections('spin30')).toBe(0)
  })

  it('knows a code for 30 s', async () => {
    const [early, late] = [JSON.parse((await ask()).body).uri, JSON.parse((await ask()).body).uri]
    await simulation.run(29_000)
    const inTime = new Probe(world, early)
    await simulation.run(2000)
    const tooLate = new Probe(world, late)
    await simulation.run(1000)
    for (const probe of [inTime, tooLate]) probe.connection.ping(Buffer.from('anyone?'))
    await simulation.run(1000)
    expect(pongs(inTime)).toBeGreaterThan(0)
    expect(pongs(tooLate)).toBe(0)
  })

  it('ends a connection at its token’s expiry, weeks away too', async () => {
    const probe = await open('spin30', 40 * 24 * 3600)
    await simulation.run(40 * 24 * 3600_000 - 10_000)
    expect(isClosed(probe)).toBe(false)
    await simulation.run(10_000)
    expect(probe.met.at(-1)).toEqual({ kind: 'closed', code: 1006, error: undefined })
  })

  it('loses what a client does not take, and ends it when that lasts 10 s', async () => {
    const [sender, slow] = [await open(), await open()]
    relay.trap({ queueLimit: 5 })
    slow.connection.pause()
    for (let i = 0; i < 100; i += 1) {
      sender.connection.send(Buffer.alloc(100_000))
      await simulation.run(10)
    }
    await simulation.run(1000)
    const { received, sent, dropped } = relay.counts('spin30')
    expect(received).toBe(100)
    expect(dropped).toBeGreaterThan(0)
    expect(sent + dropped + 5).toBe(100)
    await simulation.run(15_000)
    expect(relay.connections('spin30')).toBe(1)
  })
})

describe('a trap of the simulated relay', () => {
  it.each([
    ['always', 1],
    ['never', 3]
  ] as const)('join: %s', async (join, frames) => {
    relay.trap({ join })
    const [sender, receiver] = [await open(), await open()]
    for (const text of ['{"a":1}', '{"b":2}', '{"c":3}']) sender.connection.send(text)
    await simulation.run(1000)
    expect(receiver.text()).toBe('{"a":1}{"b":2}{"c":3}')
    expect(receiver.frames().length).toBe(frames)
  })

  it.each([{ silent: true }, { badCodes: true }])('%o: opens and stays silent, on that stream only', async (trap) => {
    relay.trap(trap, 'spin30')
    expect(pongs(await open('spin30'))).toBe(0)
    expect(pongs(await open('spin31'))).toBe(1)
    relay.untrap()
    expect(pongs(await open('spin30'))).toBe(1)
  })

  it('portal: a page instead of a code', async () => {
    relay.trap({ portal: true })
    const answer = await ask()
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toContain('text/html')
  })

  it('refuse: any answer', async () => {
    relay.trap({ refuse: { status: 503, body: 'later', contentType: 'text/plain' } })
    expect(await ask()).toMatchObject({ status: 503, body: 'later' })
  })

  it('noAnswer: a reset', async () => {
    relay.trap({ noAnswer: true })
    await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('delayMs and dateOffsetMs: late, and at another time', async () => {
    relay.trap({ delayMs: 5000, dateOffsetMs: -3600_000 })
    const beforeMs = simulation.nowUs / 1000
    const answer = await ask()
    expect(simulation.nowUs / 1000 - beforeMs).toBeGreaterThanOrEqual(5000)
    expect(Date.parse(answer.headers['date']!)).toBeLessThan(simulation.trueWallUs / 1000 - 3599_000)
  })

  it('freeze: stays open and says nothing more, until it is dropped', async () => {
    const [frozen, sender] = [await open(), await open()]
    relay.freeze('spin30')
    const before = frozen.met.length
    frozen.connection.ping(Buffer.from('anyone?'))
    sender.connection.send('unheard')
    await simulation.run(300_000)
    expect(frozen.met.length).toBe(before)
    relay.drop('spin30')
    await simulation.run(1000)
    expect(isClosed(frozen)).toBe(true)
  })

  it('deny: ends the connection and refuses the next, until allowed', async () => {
    const probe = await open()
    relay.deny('spin30')
    await simulation.run(1000)
    expect(isClosed(probe)).toBe(true)
    expect((await ask()).status).toBe(400)
    relay.allow('spin30')
    expect((await ask()).status).toBe(200)
  })
})

describe('the local host process', () => {
  it('passes a stream on without a code, and shows its rules', async () => {
    const sender = await open('spin30')
    const local = new Probe(world, relay.hostUrl('spin30'))
    await simulation.complete(local.untilMet('opened'))
    await simulation.run(100)
    sender.connection.send('{"a":1}')
    await simulation.run(1000)
    expect(local.text()).toBe('{"a":1}')

    const url = `${relay.relayUrl.replace('ws', 'http')}/api/destinations/all`
    const answer = await simulation.complete(world.sockets.request(url, { method: 'GET', timeoutMs: 1000 }))
    expect(JSON.parse(answer.body)['spin30']).toMatchObject({ id: 'spin30', stream: 'ws/spin30' })
  })
})
