import { beforeEach, expect, test } from 'vitest'
import { Running } from '../../test/support/shell.ts'
import { SimulatedRelay } from '../sim/relay/relay.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { loadApp } from '../status/server.ts'
import type { HttpAnswer } from '../world/sockets.ts'
import { loadCommands } from './program.ts'

/** A recorder's page as a technician and a scraper see it. */

// loading code takes real time, which does not pass in a simulation
await loadCommands()
await loadApp()

const CREDENTIALS = '/credentials'
/** What a student has sent. */
const STUDENTS = '{"user":"0f8fad5b-d9cb-469f-a165-70867728950e"}'

let simulation: Simulation
let pi: Machine
let relay: SimulatedRelay
let secrets: string[]

beforeEach(async () => {
  simulation = new Simulation(12)
  pi = simulation.machine('pi')
  relay = new SimulatedRelay(simulation.machine('relay').world, { secret: 'of the relay', host: 'relay' })
  await simulation.complete(relay.start())
  await simulation.complete(pi.world.files.makeDirectory(CREDENTIALS))
  const { accessFile, tokenFile } = relay.credentials('spin30')
  secrets = [tokenFile.content.trim()]
  for (const { name, content } of [accessFile, tokenFile]) {
    await simulation.complete(pi.world.files.writeFile(`${CREDENTIALS}/${name}`, content))
  }
})

async function recording(config: string): Promise<Running> {
  const common = `[data]\ndirectory = "/data"\n[streams]\ncredentials = "${CREDENTIALS}"\n`
  await simulation.complete(pi.world.files.writeFile('/config.toml', `${common}${config}`))
  return started()
}

async function started(): Promise<Running> {
  const recorder = new Running(pi, 'run --config /config.toml')
  await simulation.run(10_000)
  return recorder
}

function ask(path: string, from = pi, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  const host = from === pi ? 'localhost' : 'pi'
  const asked = from.world.sockets.request(`http://${host}:8088${path}`, { method: 'GET', headers, timeoutMs: 60_000 })
  return simulation.complete(asked, 120_000)
}

test('it says what status says, and counts what comes', async () => {
  const recorder = await recording('')
  const { body } = await ask('/')
  expect(body).toContain('Everything is being kept: 1 of 1 stream is heard.')
  const counted = (text: string): string | undefined => /id="today-spin30">([^<]*)</.exec(text)?.[1]
  expect(counted(body)).toBe('0')
  for (let i = 0; i < 3; i++) {
    relay.say('spin30', STUDENTS)
    await simulation.run(3000)
  }
  expect(counted((await ask('/')).body)).toBe('3')
  expect((await ask('/metrics')).body).toContain('understudy_stream_frames_total{stream="spin30"} 3')
  const status = await simulation.complete(new Running(pi, 'status --json --config /config.toml').result, 60_000)
  expect(JSON.parse((await ask('/api/status')).body).verdict).toEqual(JSON.parse(status.out).health.verdict)
  recorder.stop()
  await simulation.complete(recorder.result, 5000)
  await expect(ask('/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('from elsewhere the password in the data folder opens it, and neither tokens nor ids are anywhere', async () => {
  await recording('[status]\naddress = "0.0.0.0"\n')
  relay.say('spin30', STUDENTS)
  await simulation.run(3000)
  const phone = simulation.machine('phone')
  expect((await ask('/', phone)).status).toBe(401)
  const password = (await simulation.complete(pi.world.files.readFile('/data/status-password'))).toString().trim()
  const headers = { authorization: `Basic ${Buffer.from(`any:${password}`).toString('base64')}` }
  for (const path of [
    '/',
    '/streams/spin30',
    '/graphs',
    '/captures/',
    '/api/status',
    '/api/coverage',
    '/metrics',
    '/support'
  ]) {
    const { status, body } = await ask(path, phone, headers)
    expect(status, path).toBe(200)
    for (const secret of [...secrets, password, '0f8fad5b']) expect(body, path).not.toContain(secret)
  }
})

test('while there is no room for the journal the page says so', async () => {
  const recorder = await recording('')
  recorder.stop()
  await simulation.complete(recorder.result, 5000)
  pi.disk.capacityBytes = 0
  await started()
  expect((await ask('/')).body).toContain('Not everything is being kept')
  expect((await ask('/readyz')).status).toBe(503)
  pi.disk.capacityBytes = 50e6
  await simulation.run(10_000)
  expect((await ask('/readyz')).status).toBe(200)
})

test('it can be left out', async () => {
  await recording('[status]\nport = 0\n')
  await expect(ask('/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
