import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StreamCoverage, Unheard } from '../../src/journal/reading.ts'
import type { TokenOrder } from '../../src/sim/relay/credentials.ts'
import { credentialsOf } from '../../src/sim/relay/join.ts'
import { sleep } from '../../src/world/time.ts'
import { Front, usedCode } from './rig/front.ts'
import { Recorder } from './rig/recorder.ts'
import { relays, world } from './rig/relays.ts'
import { Speaker } from './rig/speaker.ts'

const QUICK = '[relay]\nping_interval = "1s"\nsilence_timeout = "3s"\n'
const TICK_MS = 600
/** Wall time is known in ms. */
const GRAIN_US = 5000

/** The causes on record, in order, each as often as it changed. */
const causes = ({ rest }: StreamCoverage): string[] =>
  rest.map(({ cause, code }) => (code === undefined ? cause : `${cause} ${code}`))

describe.each(relays)('%s', (_, make) => {
  const relay = make()
  beforeAll(() => relay.start())
  afterAll(() => relay.stop())

  const issue = (recorder: Recorder, stream: string, order: Partial<TokenOrder> = {}): Promise<void> =>
    recorder.issue(credentialsOf(world, relay, stream, order))

  async function deny(stream: string): Promise<void> {
    const { status } = await world.sockets.request(
      `${relay.accessUrl}/bids/deny?bid=booking-${stream}-log&exp=${Math.floor(world.clock.wallUs() / 1e6) + 600}`,
      {
        method: 'POST',
        headers: { authorization: credentialsOf(world, relay, 'admin', { scopes: ['relay:admin'] }).token },
        timeoutMs: 5000
      }
    )
    expect(status).toBe(204)
  }

  test('tokens and codes that are not good, each told apart', async () => {
    const recorder = await Recorder.prepare(QUICK)
    const refused: Record<string, [Partial<TokenOrder>, string]> = {
      expired: [{ claims: { exp: 1_600_000_000 } }, 'refused UNDERSTUDY_RELAY_TOKEN_EXPIRED'],
      signature: [{ secret: 'another secret' }, 'refused UNDERSTUDY_RELAY_TOKEN_REFUSED'],
      audience: [{ claims: { aud: 'https://relay.example' } }, 'refused UNDERSTUDY_RELAY_WRONG_AUDIENCE'],
      topic: [{ claims: { topic: 'other-log' } }, 'refused UNDERSTUDY_RELAY_WRONG_TOPIC'],
      claims: [{ claims: { prefix: undefined } }, 'refused UNDERSTUDY_RELAY_MISSING_CLAIMS'],
      booking: [{ claims: { booking_id: '' } }, 'refused UNDERSTUDY_RELAY_MISSING_CLAIMS']
    }
    for (const [stream, [order]] of Object.entries(refused)) await issue(recorder, stream, order)
    // The relay would let the one open, answer its pings, and never give it a message, and crash on the other.
    const unusable: Record<string, [Partial<TokenOrder>, string]> = {
      writeonly: [{ scopes: ['write'] }, 'UNDERSTUDY_TOKEN_SCOPE'],
      crash: [{ claims: { iat: undefined } }, 'UNDERSTUDY_TOKEN_INVALID']
    }
    for (const [stream, [order]] of Object.entries(unusable)) await issue(recorder, stream, order)
    await issue(recorder, 'good')
    const front = await Front.open(relay)
    const through = { audience: front.url, claims: { aud: relay.accessUrl } }
    for (const stream of ['bad', 'used']) await issue(recorder, stream, through)
    front.answer = async (ask) => {
      const answer = await ask()
      const { uri } = JSON.parse(answer.body) as { uri: string }
      if (uri.includes('used-log')) return usedCode(relay, 'used')
      return { ...answer, body: JSON.stringify({ uri: uri.replace(/code=.*/, 'code=bad') }) }
    }
    recorder.start()
    const codes = [...Object.entries(refused).map(([stream, [, said]]) => [stream, said.split(' ')[1]] as const)]
    await Promise.all([
      recorder.untilHeard(['good']),
      ...codes.map(([stream, code]) => recorder.untilLogged({ stream, code: code! })),
      ...['bad', 'used'].map((stream) => recorder.untilLogged({ stream, code: 'UNDERSTUDY_RELAY_CODE_REFUSED' })),
      ...Object.entries(unusable).map(([stream, [, code]]) => recorder.untilLogged({ stream, code }))
    ])
    // As soon as the codes are good, they are heard.
    front.answer = (ask) => ask()
    await recorder.untilHeard(['bad', 'used'])

    const coverage = await recorder.coverage()
    for (const [stream, [, said]] of Object.entries(refused)) {
      expect(coverage.get(stream), stream).toMatchObject({ heardUs: 0 })
      expect(causes(coverage.get(stream)!), stream).toContain(said)
    }
    for (const stream of ['bad', 'used']) {
      expect(causes(coverage.get(stream)!)).toContain('refused UNDERSTUDY_RELAY_CODE_REFUSED')
      expect(coverage.get(stream)!.heardUs).toBeGreaterThan(0)
    }
    const status = await recorder.command('status', '--json')
    expect(status.code).toBe(1)
    for (const [stream, [, code]] of Object.entries(unusable)) {
      expect(JSON.parse(status.out).problems).toContainEqual(expect.objectContaining({ stream, code }))
    }
    expect((await recorder.stop()).code).toBe(0)
  })

  test('expiry and denial end a stream; renewed files bring it back, and the others hear on', async () => {
    const recorder = await Recorder.prepare(QUICK)
    await issue(recorder, 'steady')
    await issue(recorder, 'denied')
    await issue(recorder, 'expiring', { expiresInS: 6 })
    recorder.start()
    await recorder.untilHeard(['steady', 'denied', 'expiring'])
    const heardUs = world.clock.wallUs()
    await deny('denied')
    await recorder.untilLogged({ stream: 'expiring', code: 'UNDERSTUDY_RELAY_TOKEN_EXPIRED' })
    await issue(recorder, 'expiring')
    await issue(recorder, 'late')
    await recorder.untilHeard(['expiring'], 2)
    await recorder.untilHeard(['late'])
    await recorder.untilLogged({ stream: 'denied', code: 'UNDERSTUDY_RELAY_DENIED' })
    const speaker = await Speaker.join(relay, 'expiring')
    await speaker.say(['{"after":"renewal"}'])
    await sleep(world.timers, TICK_MS)
    const coverage = await recorder.coverage()
    const since = (stream: string): Unheard[] =>
      coverage.get(stream)!.rest.filter(({ toUs }) => toUs > heardUs + GRAIN_US)
    // 1006: first it is only gone, then the next code is refused.
    expect(since('expiring').map(({ cause }) => cause)).toEqual(['disconnected', 'refused'])
    expect(since('expiring')[1]).toMatchObject({ code: 'UNDERSTUDY_RELAY_TOKEN_EXPIRED' })
    expect(causes(coverage.get('denied')!).slice(-2)).toEqual(['disconnected', 'refused UNDERSTUDY_RELAY_DENIED'])
    expect(since('steady')).toEqual([])
    expect((await recorder.exported(['expiring'])).get('expiring')).toEqual(['{"after":"renewal"}'])
    expect((await recorder.stop()).code).toBe(0)
  })

  test('joined, binary, large and broken frames are kept as they came', async () => {
    const recorder = await Recorder.prepare(QUICK)
    const streams = ['joined', 'binary', 'large', 'broken']
    for (const stream of streams) await issue(recorder, stream)
    recorder.start()
    await recorder.untilHeard(streams)
    const [joined, binary, large, broken] = await Promise.all(streams.map((stream) => Speaker.join(relay, stream)))
    // What is sent in one go the relay joins, now and then.
    const many = Array.from({ length: 600 }, (_, number) => `{"number":${number},"text":"}{ \\"é"}`)
    await joined!.say([...many, '{"one":1}{"two":2} {"three":3}'])
    await binary!.say([Buffer.from('{"binary":true}')])
    await binary!.say(['{"binary":false}'])
    const document = JSON.stringify({ large: 'x'.repeat(10 * 1024 * 1024 - 12) })
    expect(document.length).toBe(10 * 1024 * 1024)
    await large!.say([document])
    await large!.say(['{"after":"the large one"}'])
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x7d])
    await broken!.say(['{"good":1}garbage{"good":2}'])
    await broken!.say([bytes])
    await broken!.say(['{"cut": ['])
    await broken!.say(['{"good":3}'])
    await sleep(world.timers, TICK_MS)
    const exported = await recorder.exported(streams)
    expect(exported.get('joined')).toEqual([...many, '{"one":1}', '{"two":2}', ' {"three":3}'])
    expect(exported.get('binary')).toEqual(['{"binary":true}', '{"binary":false}'])
    expect(exported.get('large')!.map(({ length }) => length)).toEqual([document.length, 25])
    expect(exported.get('large')![0] === document).toBe(true)
    expect(exported.get('broken')).toEqual(['{"good":1}', '{"good":2}', '{"good":3}'])

    await recorder.json('export', '--out', `${recorder.folder}/whole`)
    const lines = async (stream: string): Promise<Array<Record<string, unknown>>> =>
      (await readFile(`${recorder.folder}/whole/${stream}.jsonl`, 'utf8'))
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    expect((await lines('binary')).map(({ binary }) => binary)).toEqual([true, undefined])
    const kept = (await lines('broken')).map(({ raw, raw_b64 }) =>
      raw_b64 === undefined ? Buffer.from(raw as string) : Buffer.from(raw_b64 as string, 'base64')
    )
    const sent = [Buffer.from('{"good":1}garbage{"good":2}'), bytes, Buffer.from('{"cut": [{"good":3}')]
    expect(Buffer.concat(kept)).toEqual(Buffer.concat(sent))
    for (const [stream, { rest }] of await recorder.coverage()) {
      expect(
        rest.filter(({ cause }) => cause === 'disconnected'),
        stream
      ).toEqual([])
    }
    expect((await recorder.stop()).code).toBe(0)
    expect(await recorder.json('verify')).toMatchObject({ problems: [] })
  })

  test('a relay that is half-open is found out by its silence', async () => {
    const recorder = await Recorder.prepare(QUICK)
    await issue(recorder, 'spin30')
    recorder.start()
    await recorder.untilHeard(['spin30'])
    const frozenUs = world.clock.wallUs()
    relay.freeze()
    await recorder.untilLogged({ stream: 'spin30', cause: 'silent' }).finally(() => relay.thaw())
    const thawedUs = world.clock.wallUs()
    await recorder.untilHeard(['spin30'], 2)
    const { rest } = (await recorder.coverage()).get('spin30')!
    const gap = rest.find(({ cause }) => cause === 'silent')!
    // Since the last proof, not since it was noticed.
    expect(gap.code).toBe('UNDERSTUDY_RELAY_SILENT')
    expect(gap.fromUs).toBeLessThan(frozenUs + 1e6)
    expect(gap.fromUs).toBeLessThan(thawedUs - 2e6)
    expect(gap.toUs).toBeGreaterThan(gap.fromUs + 2e6)
    expect((await recorder.stop()).code).toBe(0)
  })
})
