import { beforeEach, expect, test } from 'vitest'
import { type Ran, Running } from '../../test/support/shell.ts'
import { asked, said } from '../analytics/standby/fixtures.ts'
import type { Verdict } from '../health/verdict.ts'
import { codeUrl, credentialsOf } from '../sim/relay/join.ts'
import { SimulatedRelay } from '../sim/relay/relay.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { loadApp } from '../status/server.ts'
import { loadCommands } from './program.ts'

/** A recorder's health as it shows outside: in `status`, in what it calls by itself, and in what systemd is told. */

// loading code takes real time, which does not pass in a simulation
await loadCommands()
await loadApp()

const CREDENTIALS = '/credentials'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const YEAR_S = 365 * 86_400
const URL = 'https://watch/a-secret-path'

interface Told extends Verdict {
  readonly kind: 'verdict' | 'heartbeat'
  readonly site: string
}

let simulation: Simulation
let pi: Machine
let relay: SimulatedRelay
let told: Told[]
/** What the listener answers. */
let answer: number

beforeEach(async () => {
  simulation = new Simulation(11)
  pi = simulation.machine('pi')
  relay = new SimulatedRelay(simulation.machine('relay').world, { secret: 'of the relay', host: 'relay' })
  await simulation.complete(relay.start())
  await simulation.complete(pi.world.files.makeDirectory(CREDENTIALS))
  for (const stream of ['spin30', 'spin31']) await issue(stream)
  told = []
  answer = 200
  const watch = simulation.machine('watch').world
  const serving = watch.sockets.serve(
    { host: 'watch', port: 443 },
    {
      async request({ body }) {
        if (answer === 200) told.push(JSON.parse(body))
        return { status: answer, body: '' }
      },
      connected: () => ({ message() {}, pong() {}, closed() {}, ping: () => false })
    }
  )
  await simulation.complete(serving)
})

async function issue(stream: string, expiresInS = YEAR_S): Promise<void> {
  const { accessFile, tokenFile } = relay.credentials(stream, { expiresInS })
  for (const { name, content } of [accessFile, tokenFile]) {
    await simulation.complete(pi.world.files.writeFile(`${CREDENTIALS}/${name}`, content))
  }
}

async function recording(config = ''): Promise<Running> {
  const common = `[data]\ndirectory = "/data"\n[streams]\ncredentials = "${CREDENTIALS}"\n[notify]\nurl = "${URL}"\n`
  await simulation.complete(pi.world.files.writeFile('/config.toml', `${common}${config}`))
  const recorder = new Running(pi, 'run --config /config.toml')
  await simulation.run(10_000)
  return recorder
}

function sh(line: string): Promise<Ran> {
  return simulation.complete(new Running(pi, `${line} --config /config.toml`).result, 600_000)
}

async function stopped(recorder: Running): Promise<Ran> {
  recorder.stop()
  return simulation.complete(recorder.result, 5000)
}

/** What `status` says, in words and as JSON. */
async function status(): Promise<{ code: number; out: string; verdict: Verdict }> {
  const { code, out } = await sh('status')
  const { health } = JSON.parse((await sh('status --json')).out)
  return { code, out, verdict: health.verdict }
}

/** How often systemd was told that it lives. */
const beats = (): number => pi.supervisor.told.filter((line) => line === 'WATCHDOG=1').length

function codes({ reasons }: Verdict): string[] {
  return reasons.map(({ code }) => code)
}

test('where all is well it says so first, and a sign of life goes out every hour', async () => {
  const recorder = await recording()
  const { code, out, verdict } = await status()
  expect(out.split('\n')[0]).toBe('Everything is being kept: 2 of 2 streams are heard.')
  expect([code, verdict.state]).toEqual([0, 'ok'])
  await simulation.run(3 * HOUR_MS)
  expect(told.map(({ kind, state }) => `${kind} ${state}`)).toEqual(Array(4).fill('heartbeat ok'))
  await stopped(recorder)
})

test('a stream that is cut is told of once it was unheard for as long as it may be, and when it is heard again', async () => {
  const recorder = await recording()
  simulation.network.partition(pi, simulation.machine('relay'))
  await simulation.run(4 * 60_000)
  expect((await status()).verdict.state).toBe('ok')
  await simulation.run(3 * 60_000)
  const { code, out, verdict } = await status()
  expect(code).toBe(5)
  expect(out).toMatch(
    /^Not everything is being kept: 2 of 2 streams are not heard: no answer came in time\.\nFAILING {4}spin30 is not heard: .*\n {11}/
  )
  expect(codes(verdict)).toEqual(['stream-unheard', 'stream-unheard'])
  expect(told.at(-1)).toMatchObject({ kind: 'verdict', state: 'failing', sentence: verdict.sentence })
  simulation.network.heal(pi, simulation.machine('relay'))
  await simulation.run(60_000)
  expect((await status()).code).toBe(0)
  expect(told.at(-1)).toMatchObject({ kind: 'verdict', state: 'ok' })
  await stopped(recorder)
})

test('outside term an unheard stream is a note', async () => {
  const term = '[[term]]\nfrom = 2026-09-14\nto = 2026-11-02\n[health]\nunheard = "1m"\n'
  simulation.network.partition(pi, simulation.machine('relay'))
  let recorder = await recording(term)
  await simulation.run(90_000)
  expect((await status()).code).toBe(5)
  await stopped(recorder)
  await simulation.run(DAY_MS)
  recorder = await recording(term)
  await simulation.run(90_000)
  const { code, verdict } = await status()
  expect(code).toBe(0)
  expect(verdict.reasons.map(({ state }) => state)).toEqual(['note', 'note'])
  expect(verdict.sentence).toMatch(/the labs are not in use\.$/)
  await stopped(recorder)
})

test('a stream that never says anything is told of after a week, over restarts', async () => {
  await stopped(await recording())
  await simulation.run(6.9 * DAY_MS)
  let recorder = await recording()
  expect((await status()).code).toBe(0)
  await stopped(recorder)
  await simulation.run(0.2 * DAY_MS)
  recorder = await recording()
  expect(codes((await status()).verdict)).toEqual(['stream-never-spoke', 'stream-never-spoke'])
  await stopped(recorder)
})

test('a token that expires is told of', async () => {
  await issue('spin30', 29 * 86_400)
  await issue('spin31', 3600)
  const recorder = await recording()
  const { code, verdict } = await status()
  expect([code, codes(verdict)]).toEqual([1, ['token-expires', 'token-expires']])
  await simulation.run(HOUR_MS)
  expect(codes((await status()).verdict)).toContain('token-expired')
  await stopped(recorder)
})

test('a clock that is not set is told of at once', async () => {
  await simulation.run(10 * 60_000)
  const recorder = await recording()
  pi.clock.setSynchronised(false)
  await simulation.run(5000)
  expect(codes((await status()).verdict)).toEqual(['clock-unsynchronised'])
  expect(told.at(-1)).toMatchObject({ kind: 'verdict', state: 'attention' })
  await stopped(recorder)
})

test('a full disk fails the verdict, and nobody starts the recorder again, who would lose what waits for room', async () => {
  pi.supervisor.watchdogMs = 20_000
  const recorder = await recording()
  await simulation.run(60_000)
  expect(beats()).toBe(14)
  const { capacityBytes } = pi.disk
  pi.disk.capacityBytes = 0
  const minutes = 30
  for (let minute = 0; minute < minutes; minute++) {
    relay.say('spin30', `{"minute":${minute}}`)
    await simulation.run(60_000)
    expect(beats()).toBe(14 + 12 * (minute + 1))
  }
  expect((await status()).verdict.reasons[0]).toMatchObject({ code: 'commits-failing', state: 'failing' })
  expect(told.at(-1)?.state).toBe('failing')
  pi.disk.capacityBytes = capacityBytes
  await simulation.run(90_000)
  expect((await status()).code).toBe(0)
  expect(told.at(-1)?.state).toBe('ok')
  await stopped(recorder)
  expect(await sh('export --raw --out /out')).toMatchObject({ code: 0 })
  const exported = (await simulation.complete(pi.world.files.readFile('/out/spin30.jsonl'))).toString()
  expect(exported.match(/"minute"/g)).toHaveLength(minutes)
  const lines = pi.supervisor.told.filter((line) => line !== 'WATCHDOG=1')
  expect([lines[0], lines.at(-1)]).toEqual(['READY=1', 'STOPPING=1'])
  expect(lines).toContain('STATUS=Everything is being kept: 2 of 2 streams are heard.')
})

test('a disk that fails to take what must be committed stops what systemd is told, until it does again', async () => {
  pi.supervisor.watchdogMs = 20_000
  const recorder = await recording()
  pi.disk.failsAfterBytes = 0
  // What the journal has to say, so that something needs a commit.
  relay.say('spin30', '{"something":1}')
  await simulation.run(15_000)
  const before = beats()
  expect((await status()).verdict.reasons[0]).toMatchObject({ code: 'commits-failing', state: 'failing' })
  await simulation.run(60_000)
  expect(beats()).toBe(before)
  pi.disk.failsAfterBytes = Number.POSITIVE_INFINITY
  await simulation.run(90_000)
  expect(beats()).toBeGreaterThan(before)
  expect((await status()).code).toBe(0)
  await stopped(recorder)
})

test('an event loop that is slow does not say that it lives', async () => {
  pi.supervisor.watchdogMs = 20_000
  const recorder = await recording()
  await simulation.run(11_000)
  const before = pi.supervisor.told.length
  // The next tick comes in 4 s, or more than a second after that.
  pi.stall(6000)
  await simulation.run(7000)
  expect(pi.supervisor.told.slice(before)).toEqual([])
  await simulation.run(10_000)
  expect(pi.supervisor.told.slice(before)).toContain('WATCHDOG=1')
  await stopped(recorder)
})

test('what nobody takes is tried again, and the newest verdict arrives', async () => {
  const recorder = await recording()
  answer = 503
  pi.clock.setSynchronised(false)
  await simulation.run(10 * 60_000)
  const before = told.length
  pi.clock.setSynchronised(true)
  await simulation.run(30_000)
  pi.clock.setSynchronised(false)
  await simulation.run(30_000)
  expect(told).toHaveLength(before)
  answer = 200
  await simulation.run(10 * 60_000)
  expect(told.slice(before).map(({ kind, state }) => `${kind} ${state}`)).toEqual(['verdict attention'])
  const { out } = await stopped(recorder)
  expect(out).toContain('a notification could not be sent')
  expect(out).not.toContain('a-secret-path')
})

test('a primary that does not answer its students is told of, and when it does again', async () => {
  const recorder = await recording()
  const url = codeUrl(pi.world, credentialsOf(pi.world, relay, 'spin30'))
  const ignored = { opened() {}, message() {}, ping() {}, pong() {}, closed() {} }
  const options = { handshakeTimeoutMs: 10_000, maxPayloadBytes: 1e6 }
  const lab = pi.world.sockets.connect(await simulation.complete(url), options, ignored)
  await simulation.run(1000)
  const sinceMs = pi.clock.wallUs() / 1000
  lab.send(asked('indicators'))
  await simulation.run(60_000)
  const { code, verdict } = await status()
  expect([code, codes(verdict)]).toEqual([1, ['primary-silent']])
  expect(Math.abs(verdict.reasons[0]!.sinceMs! - sinceMs)).toBeLessThan(2000)
  lab.send(asked('indicators'))
  lab.send(said('indicators'))
  await simulation.run(60_000)
  expect((await status()).code).toBe(0)
  await stopped(recorder)
})

test.each([
  ['a portal', () => relay.trap({ portal: true }), /a captive portal or filter answered in the relay's place/],
  ['a portal that redirects', () => simulation.network.fail('relay', 'HTTP_302'), /a captive portal or filter/],
  ['a filter', () => simulation.network.fail('relay', 'HTTP_403'), /a captive portal or filter/],
  ['a portal without TLS', () => simulation.network.fail('relay', 'EPROTO'), /a captive portal or filter/],
  ['an interceptor', () => simulation.network.fail('relay', 'SELF_SIGNED_CERT_IN_CHAIN'), /not signed by anyone/],
  ['another interceptor', () => simulation.network.fail('relay', 'CERT_SIGNATURE_FAILURE'), /not signed by anyone/],
  ['a proxy that does not let through', () => simulation.network.fail('relay', 'PROXY_REFUSED'), /the proxy refused/]
])('%s is told as what it is, wherever one looks', async (_name, fault, words) => {
  const recorder = await recording()
  fault()
  simulation.network.reset(pi, simulation.machine('relay'))
  await simulation.run(30 * 60_000)
  const { code, out, verdict } = await status()
  expect([code, codes(verdict)]).toEqual([5, ['stream-unheard', 'stream-unheard']])
  expect(verdict.sentence).toMatch(words)
  expect(verdict.reasons[0]!.todo).toMatch(/network/)
  expect(out).toMatch(/UNDERSTUDY_NETWORK_/)
  expect(told.at(-1)?.sentence).toMatch(words)
  const page = pi.world.sockets.request('http://localhost:8088/', { method: 'GET', timeoutMs: 60_000 })
  const { body } = await simulation.complete(page, 120_000)
  expect(body.replaceAll('&#39;', "'")).toMatch(words)
  for (const text of [out, body, JSON.stringify(verdict)]) expect(text).not.toMatch(/cannot be reached/)
  relay.untrap()
  simulation.network.fail('relay', undefined)
  await simulation.run(10 * 60_000)
  expect((await status()).code).toBe(0)
  await stopped(recorder)
})

test('nothing that is told holds a token', async () => {
  const recorder = await recording()
  const tokens = ['spin30', 'spin31'].map(
    (stream) => relay.credentials(stream, { expiresInS: YEAR_S }).tokenFile.content
  )
  await simulation.complete(pi.world.files.writeFile(`${CREDENTIALS}/log.token.spin32`, `${tokens[0]}\n${tokens[1]}`))
  await simulation.complete(pi.world.files.writeFile(`${CREDENTIALS}/log.access.spin32`, relay.accessUrl))
  await simulation.run(6 * 60_000)
  const { out } = await status()
  expect(told.at(-1)?.state).toBe('failing')
  for (const text of [out, JSON.stringify(told)]) for (const token of tokens) expect(text).not.toContain(token.trim())
  await stopped(recorder)
})

test('how the last boot ended is known', async () => {
  const cause = async (): Promise<unknown> => JSON.parse((await sh('status --json')).out).health.machine.bootCause
  let recorder = await recording()
  expect(await cause()).toBeUndefined()
  pi.cutPower()
  pi.boot()
  recorder = await recording()
  expect(await cause()).toBe('power cut')
  await stopped(recorder)
  recorder = await recording()
  expect(await cause()).toBe('power cut')
  await stopped(recorder)
  await simulation.run(60_000)
  pi.boot()
  recorder = await recording()
  expect(await cause()).toBe('reboot')
  await stopped(recorder)
  pi.boot()
  const bootStatus = '/sys/class/watchdog/watchdog0'
  await simulation.complete(pi.world.files.makeDirectory(bootStatus))
  await simulation.complete(pi.world.files.writeFile(`${bootStatus}/bootstatus`, '32\n'))
  recorder = await recording()
  expect(await cause()).toBe('watchdog')
  await stopped(recorder)
})

test('beside a command that records nothing there is no verdict', async () => {
  const recorder = await recording()
  await stopped(recorder)
  expect(await sh('status')).toMatchObject({ code: 4 })
})

test('a command that works on the data folder while no recorder runs serves no page, and calls nobody', async () => {
  await stopped(await recording())
  const before = told.length
  const page = (): Promise<unknown> =>
    simulation.complete(pi.world.sockets.request('http://localhost:8088/', { method: 'GET', timeoutMs: 60_000 }))
  const capturing = new Running(pi, 'capture spin30 /captured 600 --config /config.toml')
  await simulation.run(300_000)
  relay.say('spin30', '{"something":1}')
  await expect(page()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await simulation.run(300_000)
  expect(await simulation.complete(capturing.result, 60_000)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^1 message/)
  })
  await sh('captures run daily')
  expect(told).toHaveLength(before)
})
