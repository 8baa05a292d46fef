import { beforeEach, expect, test } from 'vitest'
import { type Ran, Running } from '../../test/support/shell.ts'
import type { Manifest } from '../captures/manifest.ts'
import type { Report } from '../health/report.ts'
import { SimulatedRelay } from '../sim/relay/relay.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { loadApp } from '../status/server.ts'
import type { Sockets } from '../world/sockets.ts'
import { loadCommands } from './program.ts'

/** A recorder without any time service, whose relay says the time. */

// loading code takes real time, which does not pass in a simulation
await loadCommands()
await loadApp()

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const YEAR_US = 365 * 86_400_000_000

let simulation: Simulation
let pi: Machine
let relayMachine: Machine
let relay: SimulatedRelay
/** How often the relay was asked for a code. */
let asked: number

beforeEach(async () => {
  simulation = new Simulation(21)
  pi = simulation.machine('pi')
  relayMachine = simulation.machine('relay')
  const tls = { key: 'not looked at', cert: 'not looked at' }
  const { world } = relayMachine
  const serve: Sockets['serve'] = (at, handlers) => {
    const request: typeof handlers.request = (wanted) => {
      asked++
      return handlers.request(wanted)
    }
    return world.sockets.serve(at, { ...handlers, request })
  }
  asked = 0
  relay = new SimulatedRelay(
    { ...world, sockets: { ...world.sockets, serve } },
    { secret: 'of the relay', host: 'relay', tls }
  )
  await simulation.complete(relay.start())
  await configure()
  pi.clock.setSynchronised(false)
})

async function configure(): Promise<void> {
  const config = 'time_zone = "Etc/UTC"\n[data]\ndirectory = "/data"\n[streams]\ncredentials = "/credentials"\n'
  await put('/config.toml', config)
  await simulation.complete(pi.world.files.makeDirectory('/credentials'))
  const { accessFile, tokenFile } = relay.credentials('spin30', { expiresInS: 365 * 86_400 })
  for (const { name, content } of [accessFile, tokenFile]) await put(`/credentials/${name}`, content)
}

function put(path: string, content: string): Promise<void> {
  return simulation.complete(pi.world.files.writeFile(path, content))
}

async function recording(): Promise<Running> {
  const recorder = new Running(pi, 'run --config /config.toml')
  await simulation.run(60_000)
  return recorder
}

async function sh(line: string): Promise<Ran> {
  return simulation.complete(new Running(pi, `${line} --config /config.toml`).result, 600_000)
}

/** Time passes, with a message every hour. */
async function live(hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour++) {
    relay.say('spin30', `{"hour":${hour}}`)
    await simulation.run(HOUR_MS)
  }
}

async function report(): Promise<Report> {
  return JSON.parse(await page('/api/status')).report
}

/** Of the recorder's page, as whoever knows the password sees it. */
async function page(path: string): Promise<string> {
  const password = (await simulation.complete(pi.world.files.readFile('/data/status-password'))).toString().trim()
  const headers = { authorization: `Basic ${Buffer.from(`any:${password}`).toString('base64')}` }
  const { sockets } = pi.world
  const asked = sockets.request(`http://localhost:8088${path}`, { method: 'GET', headers, timeoutMs: 60_000 })
  return (await simulation.complete(asked, 120_000)).body
}

function dayOf(us: number): string {
  return new Date(us / 1000).toISOString().slice(0, 10)
}

/** How far the recorder's time is from the true one. */
async function offUs(): Promise<number> {
  return Math.abs((await report()).nowMs * 1000 - simulation.trueWallUs)
}

test('without NTP, by the relay: the daily capture is sealed, and says by what it knew the time', async () => {
  pi.clock.setWall(0)
  pi.clock.setDrift(60)
  const [first, second] = [0, 1].map((days) => dayOf(simulation.trueWallUs + days * DAY_MS * 1000))
  await recording()
  expect((await report()).clock).toMatchObject({ source: 'relay', synchronised: false })
  await live(48)
  expect((await sh('doctor')).out).toContain("the relay's answers say the time")
  const { code, out } = await sh('status')
  expect([code, out.split('\n')[0]]).toEqual([0, 'Everything is being kept: 1 of 1 stream is heard.'])
  expect(await offUs()).toBeLessThan(2_000_000)
  const listed = await sh('captures')
  for (const day of [first, second]) expect(listed.out).toMatch(new RegExp(`${day} +sealed .* relay$`, 'm'))
  const read = pi.world.files.readFile(`/data/captures/daily/${second}/manifest.json`)
  const manifest = JSON.parse((await simulation.complete(read)).toString()) as Manifest
  expect(manifest.timeSources).toEqual(['relay'])
  expect(manifest.streams[0]).toMatchObject({ frames: 24, timeUncertain: 0, coverage: { heardUs: 86_400_000_000 } })
  expect(await page('/captures/')).toContain('time source relay')
  const status = JSON.parse((await sh('status --json')).out)
  expect(Math.abs(status.nowUs - simulation.trueWallUs)).toBeLessThan(5_000_000)
  expect(Math.abs(status.streams[0].lastUs - (simulation.trueWallUs - HOUR_MS * 1000))).toBeLessThan(60_000_000)
  const [line] = (await sh('export --out -')).out.split('\n')
  expect(JSON.parse(line!)).toMatchObject({ synced: true, time_source: 'relay' })
})

test('the relay is asked again while it is heard, but no more than is needed', async () => {
  pi.clock.setWall(0)
  pi.clock.setDrift(-90)
  await recording()
  asked = 0
  for (let hour = 0; hour < 24; hour++) {
    await simulation.run(HOUR_MS)
    expect(await offUs()).toBeLessThan(2_000_000)
  }
  expect(asked).toBeGreaterThan(60)
  expect(asked).toBeLessThan(110)
  pi.clock.setWall(simulation.trueWallUs)
  pi.clock.setSynchronised(true)
  await simulation.run(60_000)
  asked = 0
  await simulation.run(DAY_MS)
  expect(asked).toBe(0)
})

test('a relay that is years ahead is not believed: neither under its certificate nor after NTP was right', async () => {
  relayMachine.clock.step(5 * YEAR_US)
  pi.clock.setWall(simulation.trueWallUs - 3 * HOUR_MS * 1000)
  const recorder = await recording()
  await live(2)
  expect((await report()).clock.source).toBe('none')
  recorder.stop()
  await simulation.complete(recorder.result, 60_000)
  // Also under a certificate that is valid for twenty years.
  const nowMs = simulation.trueWallUs / 1000
  simulation.network.certify('relay', { fromMs: nowMs - YEAR_US / 1000, toMs: nowMs + (20 * YEAR_US) / 1000 })
  pi.clock.setWall(simulation.trueWallUs)
  pi.clock.setSynchronised(true)
  await recording()
  pi.clock.setSynchronised(false)
  await live(2)
  expect((await report()).clock.source).toBe('none')
  expect(await offUs()).toBeLessThan(2_000_000)
})

test('nor is one that is years behind, whatever the certificate says', async () => {
  pi.clock.setSynchronised(true)
  await recording()
  pi.cutPower()
  pi.boot()
  await configure()
  pi.clock.setSynchronised(false)
  pi.clock.setWall(0)
  relayMachine.clock.step(-5 * YEAR_US)
  simulation.network.certify('relay', { fromMs: 0, toMs: Date.UTC(2040, 0) })
  const lastUs = simulation.trueWallUs
  await recording()
  const { clock, nowMs } = await report()
  expect(clock.source).toBe('none')
  // Nor is it earlier than what is on record.
  expect(nowMs * 1000).toBeGreaterThan(lastUs - 60_000_000)
})
