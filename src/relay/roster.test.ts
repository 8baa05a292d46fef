import { describe, expect, test } from 'vitest'
import { Lab } from './fixtures.ts'

const STREAMS = Array.from({ length: 12 }, (_, i) => `spin${30 + i}`)

describe('a stream', () => {
  test('is heard the direct way, and its frames come as they were sent', async () => {
    const lab = new Lab()
    await lab.begin()
    const student = await lab.student()
    student.send('{"t":1}')
    await lab.simulation.run(1000)
    student.send(Buffer.from([0, 255]))
    await lab.simulation.run(1000)
    expect(lab.of('added', 'lost', 'heard', 'frame', 'uncertain')).toEqual([
      'added',
      'lost connecting',
      'heard',
      'frame {"t":1} false',
      `frame ${Buffer.from([0, 255])} true`
    ])
  })

  test('is heard through a local host process', async () => {
    const lab = new Lab()
    await lab.simulation.complete(lab.relay.start())
    lab.roster.set([{ stream: 'spin30', kind: 'socket', url: lab.relay.hostUrl('spin30') }])
    lab.roster.start()
    await lab.simulation.run(2000)
    ;(await lab.student()).send('{}')
    await lab.simulation.run(1000)
    expect(lab.of('heard', 'frame')).toEqual(['heard', 'frame {} false'])
  })

  test('joined messages stay one frame', async () => {
    const lab = new Lab({ relay: { traps: { join: 'always' } } })
    await lab.begin()
    const student = await lab.student()
    for (const message of ['{"a":1}', ' {"b":2}', 'x', '{}']) student.send(message)
    await lab.simulation.run(1000)
    expect(lab.of('frame')).toEqual(['frame {"a":1} {"b":2}x{} false'])
  })

  test('stays heard through an idle hour, proved by pongs and pings', async () => {
    const lab = new Lab()
    await lab.begin()
    await lab.simulation.run(3_600_000)
    expect(lab.of('lost', 'heard')).toEqual(['lost connecting', 'heard'])
    // A ping of ours every 10 s (on a tick of 0.5 s), one of the relay's every 54 s.
    expect(lab.count('proof')).toBeGreaterThan(340 + 60)
  })

  test('sends to the others, but only while it is heard', async () => {
    const lab = new Lab()
    expect(lab.roster.send('spin30', '{}')).toBe(false)
    await lab.begin(['spin30'])
    expect(lab.roster.send('spin31', '{}')).toBe(false)
    expect(lab.roster.send('spin30', '{}')).toBe(true)
    await lab.simulation.run(100)
    expect(lab.relay.counts('spin30').received).toBe(1)
  })
})

describe('reading', () => {
  async function delay(live: boolean): Promise<number> {
    const lab = new Lab()
    await lab.begin()
    lab.roster.setLive('spin30', live)
    const student = await lab.student()
    await lab.simulation.run(2000)
    let worst = 0
    for (let i = 0; i < 20; i++) {
      const sent = lab.nowMs
      student.send('{}')
      await lab.simulation.runUntil(() => lab.count('frame') === i + 1, 1000)
      worst = Math.max(worst, lab.nowMs - sent)
      await lab.simulation.run(333)
    }
    return worst
  }

  test('waits for the tick', async () => {
    expect(await delay(false)).toBeGreaterThan(200)
  })

  test('does not wait on a live stream', async () => {
    expect(await delay(true)).toBeLessThan(100)
  })

  test('ends each tick by saying so', async () => {
    const lab = new Lab()
    await lab.begin()
    const before = lab.ticks
    await lab.simulation.run(10_000)
    expect(lab.ticks - before).toBe(20)
  })

  test('10 MB come whole', async () => {
    const lab = new Lab()
    await lab.begin()
    const large = Buffer.alloc(10 * 1024 * 1024, '{"a":1}')
    ;(await lab.student()).send(large)
    await lab.simulation.runUntil(() => lab.count('frame') === 1, 60_000)
    expect(lab.told.find(({ what }) => what === 'frame')?.detail.length).toBe(large.length + ' true'.length)
    expect(lab.count('lost')).toBe(1)
  })

  test('a frame that is too large ends the connection, and the next begins', async () => {
    const lab = new Lab({ roster: { maxPayloadBytes: 100_000 } })
    await lab.begin()
    const student = await lab.student()
    student.send(Buffer.alloc(100_001))
    await lab.simulation.runUntil(() => lab.count('heard') === 2, 60_000)
    expect(lab.of('lost', 'frame').slice(1)).toEqual(['lost disconnected UNDERSTUDY_RELAY_FRAME'])
    student.send(Buffer.alloc(100_000))
    await lab.simulation.run(10_000)
    expect(lab.count('frame')).toBe(1)
  })
})

describe('what the relay does', () => {
  test('a bad code is followed by silence: found within 6 s, and tried again', async () => {
    const lab = new Lab({ relay: { traps: { badCodes: true } } })
    await lab.simulation.complete(lab.relay.start())
    lab.roster.set([lab.source('spin30')])
    lab.roster.start()
    await lab.simulation.run(7000)
    expect(lab.of('lost', 'heard')).toEqual(['lost connecting', 'lost refused UNDERSTUDY_RELAY_CODE_REFUSED'])
    expect(lab.roster.states()[0]).toMatchObject({ code: 'UNDERSTUDY_RELAY_CODE_REFUSED' })
    lab.relay.untrap()
    await lab.simulation.runUntil(() => lab.count('heard') === 1, 30_000)
    expect(lab.roster.states()[0]).toMatchObject({ state: 'heard' })
    expect(lab.roster.states()[0]).not.toHaveProperty('code')
  })

  test('a silent local host is no refusal', async () => {
    const lab = new Lab({ relay: { traps: { silent: true } } })
    await lab.simulation.complete(lab.relay.start())
    lab.roster.set([{ stream: 'spin30', kind: 'socket', url: lab.relay.hostUrl('spin30') }])
    lab.roster.start()
    await lab.simulation.run(7000)
    expect(lab.of('lost').at(-1)).toBe('lost silent UNDERSTUDY_RELAY_SILENT')
  })

  test('expiry ends the connection without a word; a renewed token is used at once', async () => {
    const lab = new Lab()
    await lab.simulation.complete(lab.relay.start())
    lab.roster.set([lab.source('spin30', { expiresInS: 60 })])
    lab.roster.start()
    await lab.simulation.run(90_000)
    expect(lab.of('lost', 'heard')).toEqual([
      'lost connecting',
      'heard',
      'lost disconnected',
      'lost refused UNDERSTUDY_RELAY_TOKEN_EXPIRED'
    ])
    lab.roster.set([lab.source('spin30')])
    await lab.simulation.run(2000)
    expect(lab.of('heard')).toHaveLength(2)
  })

  test('deny ends the connection; the next code is refused, and asked for slowly', async () => {
    const lab = new Lab()
    await lab.begin()
    lab.relay.deny('spin30')
    await lab.simulation.run(10_000)
    expect(lab.of('lost').slice(1)).toEqual(['lost disconnected', 'lost refused UNDERSTUDY_RELAY_DENIED'])
    await lab.simulation.run(1_800_000)
    expect(lab.of('relayTime').length).toBeLessThan(25)
    lab.relay.allow('spin30')
    await lab.simulation.runUntil(() => lab.count('heard') === 2, 600_000)
  })

  test.each([
    ['another audience', { audience: 'http://another:3000' }, 'UNDERSTUDY_RELAY_WRONG_AUDIENCE'],
    ['another topic', { claims: { topic: 'spin99-log' } }, 'UNDERSTUDY_RELAY_WRONG_TOPIC'],
    ['missing claims', { claims: { prefix: undefined } }, 'UNDERSTUDY_RELAY_MISSING_CLAIMS'],
    ['no booking', { claims: { booking_id: '' } }, 'UNDERSTUDY_RELAY_MISSING_CLAIMS'],
    ['another secret', { secret: 'another' }, 'UNDERSTUDY_RELAY_TOKEN_REFUSED'],
    ['no nbf, which crashes the relay', { claims: { nbf: undefined } }, 'UNDERSTUDY_RELAY_NO_ANSWER'],
    ['no right to read', { scopes: ['write'] }, 'UNDERSTUDY_TOKEN_SCOPE'],
    ['not yet valid', { claims: { nbf: 4e9 } }, 'UNDERSTUDY_RELAY_TOKEN_EARLY']
  ])('a token for %s is refused, said once, and tried slowly', async (_name, order, code) => {
    const lab = new Lab()
    await lab.simulation.complete(lab.relay.start())
    lab.roster.set([lab.source('spin30', order)])
    lab.roster.start()
    await lab.simulation.run(600_000)
    expect(lab.of('lost')).toEqual(['lost connecting', `lost refused ${code}`])
    expect(lab.logged.filter((line) => line.includes(code))).toHaveLength(1)
  })

  test('a restart drops all; they come back apart from each other', async () => {
    const lab = new Lab()
    await lab.begin(STREAMS)
    await lab.simulation.run(60_000)
    const told = lab.told.length
    await lab.simulation.complete(lab.relay.stop())
    await lab.simulation.run(100)
    await lab.simulation.complete(lab.relay.start())
    await lab.simulation.runUntil(() => STREAMS.every((stream) => lab.count('heard', stream) === 2), 60_000)
    const times = lab.told
      .slice(told)
      .filter(({ what }) => what === 'heard')
      .map(({ atMs }) => atMs)
    expect(times).toHaveLength(12)
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(300)
  })

  test('a half-open connection is silence, found after 25 s', async () => {
    const lab = new Lab()
    await lab.begin()
    await lab.simulation.run(60_000)
    lab.relay.freeze('spin30')
    const frozenMs = lab.nowMs
    await lab.simulation.runUntil(() => lab.of('lost').length === 2, 60_000)
    expect(lab.of('lost')[1]).toBe('lost silent UNDERSTUDY_RELAY_SILENT')
    expect(lab.nowMs - frozenMs).toBeLessThan(26_000)
    // What a tick reads may have come right after the one before.
    expect(lab.heardUntilUs).toBeLessThan(Number(lab.roster.states()[0]!.lastProofUs))
    await lab.simulation.runUntil(() => lab.count('heard') === 2, 5000)
  })
})

describe('what the network does', () => {
  test.each([
    ['a captive portal', { portal: true }, 'UNDERSTUDY_NETWORK_PORTAL'],
    ['an answer that takes too long', { delayMs: 60_000 }, 'UNDERSTUDY_NETWORK_TIME_OUT'],
    ['a reset', { noAnswer: true }, 'UNDERSTUDY_RELAY_UNREACHABLE'],
    ['a gateway', { refuse: { status: 502, body: '' } }, 'UNDERSTUDY_RELAY_UNREACHABLE']
  ])('%s: said once, and tried again soon', async (_name, traps, code) => {
    const lab = new Lab({ relay: { traps } })
    await lab.simulation.complete(lab.relay.start())
    lab.roster.set([lab.source('spin30')])
    lab.roster.start()
    await lab.simulation.run(120_000)
    expect(lab.of('lost', 'heard', 'relayTime')).toEqual(['lost connecting', `lost connecting ${code}`])
    lab.relay.untrap()
    await lab.simulation.runUntil(() => lab.count('heard') === 1, 75_000)
  })

  test.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'UNDERSTUDY_NETWORK_INTERCEPTED'],
    ['CERT_HAS_EXPIRED', 'UNDERSTUDY_NETWORK_CERTIFICATE'],
    ['PROXY_REFUSED', 'UNDERSTUDY_NETWORK_PROXY'],
    ['ENOTFOUND', 'UNDERSTUDY_RELAY_UNREACHABLE']
  ])('%s, for a websocket too', async (failure, code) => {
    for (const kind of ['code', 'socket']) {
      const lab = new Lab()
      await lab.simulation.complete(lab.relay.start())
      lab.simulation.network.fail('relay', failure)
      const url = lab.relay.hostUrl('spin30')
      lab.roster.set([kind === 'code' ? lab.source('spin30') : { stream: 'spin30', kind: 'socket', url }])
      lab.roster.start()
      await lab.simulation.run(30_000)
      expect(lab.of('lost')).toEqual(['lost connecting', `lost connecting ${code}`])
    }
  })
})

describe('the roster', () => {
  test('adds, removes and replaces streams without dropping the others', async () => {
    const lab = new Lab()
    await lab.begin(['spin30', 'spin31'])
    const renewed = lab.source('spin30', { expiresInS: 1000 })
    lab.roster.set([renewed, lab.source('spin32')])
    await lab.simulation.run(5000)
    expect(lab.told.filter(({ stream }) => stream === 'spin31').slice(-2)).toMatchObject([
      { what: 'lost', detail: 'stopped' },
      { what: 'removed' }
    ])
    expect(lab.count('heard', 'spin30')).toBe(1)
    expect(lab.count('heard', 'spin32')).toBe(1)
    expect(lab.relay.connections('spin31')).toBe(0)
    lab.roster.set([{ stream: 'spin30', kind: 'socket', url: lab.relay.hostUrl('spin30') }])
    await lab.simulation.run(5000)
    expect(lab.told.filter(({ stream, what }) => stream === 'spin30' && what !== 'proof').slice(-5)).toMatchObject([
      { what: 'lost', detail: 'stopped' },
      { what: 'removed' },
      { what: 'added' },
      { what: 'lost', detail: 'connecting' },
      { what: 'heard' }
    ])
  })

  test('a stop ends all, and nothing follows', async () => {
    const lab = new Lab()
    await lab.begin(STREAMS)
    const student = await lab.student()
    await lab.simulation.complete(lab.roster.stop())
    expect(lab.of('lost').filter((lost) => lost === 'lost stopped')).toHaveLength(12)
    const told = lab.told.length
    student.send('{}')
    await lab.simulation.run(120_000)
    expect(lab.told).toHaveLength(told)
    expect(STREAMS.map((stream) => lab.relay.connections(stream) - (stream === 'spin30' ? 1 : 0))).toEqual(
      STREAMS.map(() => 0)
    )
    expect(lab.roster.states().every(({ state }) => state === 'stopped')).toBe(true)
  })

  test('a stop while it asks ends too', async () => {
    const lab = new Lab({ relay: { traps: { delayMs: 5000 } } })
    await lab.simulation.complete(lab.relay.start())
    lab.roster.set([lab.source('spin30')])
    lab.roster.start()
    await lab.simulation.run(1000)
    expect(lab.roster.states()[0]?.state).toBe('asking')
    await lab.simulation.complete(lab.roster.stop())
    await lab.simulation.run(60_000)
    expect(lab.of('lost', 'heard')).toEqual(['lost connecting', 'lost stopped'])
  })

  test("tells the relay's time, and not as verified without TLS", async () => {
    const lab = new Lab()
    await lab.begin()
    const told = lab.told.find(({ what }) => what === 'relayTime')
    expect(told?.detail).toMatch(/ false$/)
    expect(Math.abs(Number(told?.stream) - lab.simulation.trueWallUs / 1000)).toBeLessThan(3000)
  })

  test('counts what belongs to frames not yet whole', async () => {
    const lab = new Lab()
    await lab.begin()
    expect(lab.roster.pendingBytes()).toBe(0)
    ;(await lab.student()).send(Buffer.alloc(5_000_000))
    await lab.simulation.runUntil(() => lab.roster.pendingBytes() > 100_000, 2000)
  })

  test('says neither tokens nor codes', async () => {
    const lab = new Lab()
    await lab.begin()
    lab.relay.trap({ badCodes: true })
    lab.relay.drop()
    await lab.simulation.run(60_000)
    lab.relay.trap({ badCodes: false, portal: true })
    await lab.simulation.run(60_000)
    expect(lab.logged.length).toBeGreaterThan(3)
    expect(lab.logged.join()).not.toMatch(/code=|eyJ|wss?:/)
  })

  test('the same seed gives the same life', async () => {
    const lives = [1, 1, 2].map(async (seed) => {
      const lab = new Lab({ seed })
      await lab.begin(STREAMS)
      lab.relay.drop('spin33')
      await lab.simulation.run(30_000)
      return JSON.stringify(lab.told)
    })
    const [first, again, other] = await Promise.all(lives)
    expect(again).toBe(first)
    expect(other).not.toBe(first)
  })
})
