import { chmod, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CredentialFiles } from '../../src/sim/relay/credentials.ts'
import { credentialsOf } from '../../src/sim/relay/join.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { certificate, proxying, serving } from '../../src/world/real/fixtures.ts'
import { sleep } from '../../src/world/time.ts'
import { realRelayBinary } from '../real-relay.ts'
import { Front } from './rig/front.ts'
import { startHost } from './rig/host.ts'
import { Recorder } from './rig/recorder.ts'
import { relays, world } from './rig/relays.ts'
import { Speaker } from './rig/speaker.ts'
import { endTls } from './rig/tls.ts'

const TICK_MS = 1200

describe.each(relays)('%s', (_, make) => {
  const relay = make()
  beforeAll(() => relay.start())
  afterAll(() => relay.stop())

  /** For a way to the relay through something that stands before it. */
  const through = (front: Front, stream: string): CredentialFiles =>
    credentialsOf(world, relay, stream, { audience: front.url, claims: { aud: relay.accessUrl } })

  /** What is said is recorded, one at a time, as a local host process may drop what comes faster. */
  async function expectRecorded(recorder: Recorder, stream: string): Promise<void> {
    const speaker = await Speaker.join(relay, stream)
    for (let n = 0; n < 5; n += 1) {
      await speaker.say([`{"n":${n},"stream":"${stream}"}`])
      await sleep(world.timers, 50)
    }
    await sleep(world.timers, TICK_MS)
    const exported = await recorder.exported([stream])
    expect(exported.get(stream)).toEqual(speaker.said.map(({ text }) => text))
  }

  /** A front over https whose websockets are wss, under a certificate that nobody else has signed. */
  async function secured(): Promise<{ front: Front; cert: string; key: string }> {
    const tls = await certificate()
    const front = await Front.open(relay, tls)
    const port = await endTls(tls, relay.relayUrl)
    front.answer = async (ask) => {
      const answer = await ask()
      return { ...answer, body: answer.body.replace(relay.relayUrl, `wss://127.0.0.1:${port}`) }
    }
    return { front, ...tls }
  }

  test('https and wss under a certificate of its own: with ca_file, and without', async () => {
    const { front, cert } = await secured()
    const trusting = await Recorder.prepare()
    await writeFile(`${trusting.folder}/config.toml`, `[network]\nca_file = "${trusting.folder}/ca.pem"\n`)
    await writeFile(`${trusting.folder}/ca.pem`, cert)
    const wary = await Recorder.prepare()
    for (const recorder of [trusting, wary]) {
      await recorder.issue(through(front, 'spin30'))
      recorder.start()
    }
    await trusting.untilHeard(['spin30'])
    await wary.untilLogged({ stream: 'spin30', code: 'UNDERSTUDY_NETWORK_INTERCEPTED' })
    await expectRecorded(trusting, 'spin30')
    const coverage = (await wary.coverage()).get('spin30')!
    expect(coverage.heardUs).toBe(0)
    expect(coverage.rest).toContainEqual(
      expect.objectContaining({ cause: 'connecting', code: 'UNDERSTUDY_NETWORK_INTERCEPTED' })
    )
    const doctor = await wary.command('doctor')
    expect(doctor.code).toBe(1)
    expect(doctor.out).toContain('ca_file')
    for (const recorder of [trusting, wary]) expect((await recorder.stop()).code).toBe(0)
  })

  test('through a proxy: the POST and the websocket', async () => {
    const { front, cert } = await secured()
    const proxy = await proxying()
    const recorder = await Recorder.prepare()
    const config = `[network]\nproxy = "${proxy.url}"\nca_file = "${recorder.folder}/ca.pem"\n`
    await writeFile(`${recorder.folder}/config.toml`, config)
    await writeFile(`${recorder.folder}/ca.pem`, cert)
    await recorder.issue(through(front, 'secure'))
    await recorder.issue(credentialsOf(world, relay, 'plain'))
    recorder.start()
    await recorder.untilHeard(['secure', 'plain'])
    await expectRecorded(recorder, 'secure')
    await expectRecorded(recorder, 'plain')
    const hosts = [relay.accessUrl, relay.relayUrl, front.url].map((url) => new URL(url).host)
    expect(proxy.targets).toEqual(expect.arrayContaining(hosts))
    expect(new Set(proxy.targets).size).toBe(4)
    expect((await recorder.stop()).code).toBe(0)
  })

  test('through a proxy over TLS with a login: the POST, the websocket and the notifications, and no word of it', async () => {
    const { front, ...tls } = await secured()
    const proxy = await proxying(undefined, { tls, login: 'lab:se cret' })
    const told = Promise.withResolvers<string>()
    const request = async ({ body }: { body: string }): Promise<{ status: number; body: string }> => {
      told.resolve(body)
      return { status: 200, body: '' }
    }
    const sink = await serving({ request }, tls)
    const recorder = await Recorder.prepare()
    const way = `proxy = "${proxy.url.replace('://', '://lab:se%20cret@')}"\nca_file = "${recorder.folder}/ca.pem"\n`
    await writeFile(
      `${recorder.folder}/config.toml`,
      `[network]\n${way}[notify]\nurl = "https://${sink.address}/hook"\n`
    )
    await chmod(`${recorder.folder}/config.toml`, 0o600)
    await writeFile(`${recorder.folder}/ca.pem`, tls.cert)
    await recorder.issue(through(front, 'secure'))
    recorder.start()
    await recorder.untilHeard(['secure'])
    await expectRecorded(recorder, 'secure')
    expect(JSON.parse(await told.promise)).toMatchObject({ kind: 'heartbeat' })
    expect(proxy.targets).toEqual(expect.arrayContaining([new URL(front.url).host, sink.address]))
    expect(new Set(proxy.targets).size).toBe(3)
    const { out, err } = await recorder.command('status')
    for (const text of [recorder.output, out, err]) expect(text).not.toMatch(/se(%20| )cret|lab:/)
    expect((await recorder.stop()).code).toBe(0)
  })

  test('an interceptor is told apart, in status and by doctor, too', async () => {
    const { front } = await secured()
    const own = await certificate()
    const inner = await endTls(own, front.url)
    const proxy = await proxying(undefined, { instead: `127.0.0.1:${inner}` })
    const recorder = await Recorder.prepare(`[network]\nproxy = "${proxy.url}"\n`)
    await recorder.issue(through(front, 'spin30'))
    recorder.start()
    await recorder.untilLogged({ stream: 'spin30', code: 'UNDERSTUDY_NETWORK_INTERCEPTED' })
    expect((await recorder.command('status')).out).toContain('UNDERSTUDY_NETWORK_INTERCEPTED')
    expect((await recorder.command('doctor')).out).toContain('ca_file')
    expect((await recorder.stop()).code).toBe(0)
  })

  test.each([
    { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: '<!doctype html><title>Hi</title>' },
    { status: 302, headers: { location: 'http://login.example/' }, body: '' },
    { status: 511, headers: {}, body: 'log in first' }
  ])('a captive portal ($status) is told apart, and heard as soon as it lets through', async (portal) => {
    const front = await Front.open(relay)
    front.answer = async () => portal
    const recorder = await Recorder.prepare()
    await recorder.issue(through(front, 'spin30'))
    recorder.start()
    await recorder.untilLogged({ stream: 'spin30', code: 'UNDERSTUDY_NETWORK_PORTAL' })
    front.answer = (ask) => ask()
    await recorder.untilHeard(['spin30'])
    await expectRecorded(recorder, 'spin30')
    expect((await recorder.coverage()).get('spin30')!.rest).toContainEqual(
      expect.objectContaining({ cause: 'connecting', code: 'UNDERSTUDY_NETWORK_PORTAL' })
    )
    expect((await recorder.stop()).code).toBe(0)
  })

  test('through a local host process, named in the config and by LOG_URL', async () => {
    const hostUrl = (stream: string): Promise<string> | string =>
      relay instanceof SimulatedRelay ? relay.hostUrl(stream) : startHost(realRelayBinary!, relay, stream)
    const config = `[streams]\nsockets = ["${await hostUrl('spin40')}"]\n`
    const recorder = await Recorder.prepare(config, { LOG_URL: await hostUrl('spin41') })
    recorder.start()
    await recorder.untilHeard(['spin40', 'spin41'])
    await expectRecorded(recorder, 'spin40')
    await expectRecorded(recorder, 'spin41')
    expect((await recorder.stop()).code).toBe(0)
  })
})
