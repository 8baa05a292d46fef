import { createHash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { type Ran, Running } from '../../test/support/shell.ts'
import { journalPaths } from '../journal/paths.ts'
import { SimulatedRelay } from '../sim/relay/relay.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { Files } from '../world/files.ts'
import { loadCommands } from './program.ts'

/** A recorder on a data folder in which a newer release has written everything in forms that it does not know. */

// loading code takes real time, which does not pass in a simulation
await loadCommands()

const HOUR_MS = 3_600_000
const paths = journalPaths('/data')

let simulation: Simulation
let pi: Machine
let relay: SimulatedRelay

beforeEach(async () => {
  simulation = new Simulation(31)
  pi = simulation.machine('pi')
  relay = new SimulatedRelay(simulation.machine('relay').world, { secret: 'of the relay', host: 'relay' })
  await simulation.complete(relay.start())
  await simulation.complete(pi.world.files.makeDirectory('/credentials'))
  const { accessFile, tokenFile } = relay.credentials('spin30', { expiresInS: 365 * 86_400 })
  for (const { name, content } of [accessFile, tokenFile]) await put(`/credentials/${name}`, content)
  await put(
    '/config.toml',
    'time_zone = "Etc/UTC"\n[data]\ndirectory = "/data"\n[streams]\ncredentials = "/credentials"\n'
  )
})

function put(path: string, content: string | Buffer): Promise<void> {
  return simulation.complete(pi.world.files.writeFile(path, content))
}

async function sh(line: string): Promise<Ran> {
  return simulation.complete(new Running(pi, `${line} --config /config.toml`).result, 600_000)
}

/** Records for some hours, with a message in each. */
async function recorded(hours: number, what: string): Promise<Ran> {
  const recorder = new Running(pi, 'run --config /config.toml')
  await simulation.run(60_000)
  for (let hour = 0; hour < hours; hour++) {
    relay.say('spin30', `{"${what}":${hour}}`)
    await simulation.run(HOUR_MS)
  }
  recorder.stop()
  return simulation.complete(recorder.result, 60_000)
}

/** What every file below a folder holds, by path. */
async function contents(files: Files, folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const { name, kind } of await files.list(folder)) {
    const path = `${folder}/${name}`
    if (kind === 'directory') for (const [at, content] of await contents(files, path)) found.set(at, content)
    else if (kind === 'file') found.set(path, (await files.readFile(path)).toString('latin1'))
  }
  return found
}

/** Rewrites what one release has written as a newer one would say it. */
async function madeNewer(): Promise<Map<string, string>> {
  const { files, stores } = pi.world
  const read = (path: string): Promise<Buffer> => simulation.complete(files.readFile(path))
  const head = await read(paths.head)
  for (const slot of [0, head.length / 2]) head.writeUInt32BE(2, slot + 16)
  await put(paths.head, head)
  const [, , position] = (await read(paths.catalogue)).toString().split(' ')
  const digest = createHash('sha256').update(`2 ${position}\n{}`).digest('hex')
  await put(paths.catalogue, `understudy-catalogue 2 ${position} ${digest}\n{}\n`)
  const readers = await simulation.complete(stores.open(paths.readers, { create: false }))
  const format = { type: 'put', key: Buffer.from('\0format'), value: Buffer.from('2') } as const
  await simulation.complete(readers.batch([format], { sync: true }))
  await simulation.complete(readers.close())
  for (const [path, content] of await simulation.complete(contents(files, '/data'))) {
    if (path.endsWith('/manifest.json')) await put(path, content.replace('"format": 1', '"format": 2'))
    if (path === '/data/health.json') await put(path, content.replace('"format":1', '"format":2'))
  }
  return simulation.complete(contents(files, '/data'))
}

test('nothing of a newer release is touched, all of it is told, and recording goes on beside it', async () => {
  const { world } = pi
  expect((await recorded(30, 'newer')).code).toBe(0)
  const before = await madeNewer()
  const ran = await recorded(30, 'older')
  expect(ran.code).toBe(0)
  const after = await simulation.complete(contents(world.files, '/data'))
  const wherever = [...after].map(([path, content]) => [path.replace(/^.*\//, ''), content])
  for (const [path, content] of before) {
    // What is only a cache, or said anew, or opened to see what it is.
    if (/^\/data\/(reserve|status-password|readers\/)/.test(path)) continue
    const [place = ''] = /^\/data\/(stores|captures)\//.exec(path) ?? []
    if (place) expect(after.get(path), path).toBe(content)
    else expect(wherever.map(([, kept]) => kept).includes(content), path).toBe(true)
  }
  for (const what of ['head', 'catalogue', "readers' store", 'sealed by']) {
    const line = ran.out.split('\n').find((text) => text.includes(what) && text.includes('newer release'))
    expect(line, what).toBeDefined()
  }
  const aside = (await simulation.complete(world.files.list(paths.aside))).map(({ name }) => name.slice(11))
  expect(aside.sort()).toEqual(['catalogue', 'head', 'readers'])
  const exported = (await sh('export --out -')).out.trim().split('\n')
  expect(exported.map((line) => JSON.parse(line).raw)).toEqual(
    Array.from({ length: 30 }, (_, hour) => `{"older":${hour}}`)
  )
  expect((await sh('verify captures')).out).toMatch(/of a newer release: daily\//)
  expect((await sh('captures')).out).toMatch(/sealed/)
  // Forward again, as docs/formats-and-versions.md says: all of it is one journal.
  for (const path of [paths.head, paths.catalogue]) await simulation.complete(world.files.remove(path))
  expect((await recorded(1, 'again')).code).toBe(0)
  const all = (await sh('export --out -')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).raw)
  const said = (what: string, hours: number): string[] =>
    Array.from({ length: hours }, (_, hour) => `{"${what}":${hour}}`)
  expect(all).toEqual([...said('newer', 30), ...said('older', 30), ...said('again', 1)])
})

test('a config for a newer release is told by what it is, and nothing runs by half of it', async () => {
  await put('/config.toml', 'format = 2\nlistens_to = "everything"\n')
  const { code, err } = await sh('run')
  expect(code).toBe(2)
  expect(err).toContain('format: found 2, expected 1: it is for a newer release')
  expect(err).not.toContain('listens_to')
})
