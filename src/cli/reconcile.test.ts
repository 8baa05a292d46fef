import { beforeEach, expect, test } from 'vitest'
import { type Ran, Running } from '../../test/support/shell.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { Files } from '../world/files.ts'
import { loadCommands } from './program.ts'
import { SimulatedLab } from './simulated-lab.ts'

// loading code takes real time, which does not pass in a simulation
await loadCommands()

let simulation: Simulation
let machine: Machine
let files: Files

const command = (user: string, t: number, log: string): string => {
  const where = { exp: 'spinner', course: 'cie3', hardware: 'spin30', type: 'analytics' }
  return `${JSON.stringify({ user, t: 1_700_000_000_000 + t, ...where, payload: { log } })}\n`
}
const annas = ['voltage', 'speed', 'speed', 'position'].map((log, index) => command('anna', index, log))
const bens = ['speed', 'voltage'].map((log, index) => command('ben', index + 60, log))

/** Runs a command to its end. */
function sh(line: string): Promise<Ran> {
  return simulation.complete(new Running(machine, line).result, 600_000)
}

async function read(path: string): Promise<string> {
  return (await simulation.complete(files.readFile(path))).toString()
}

beforeEach(async () => {
  simulation = new Simulation(7)
  machine = simulation.machine('pi')
  files = machine.world.files
  const write = async (path: string, text: string): Promise<void> => {
    await simulation.complete(files.writeFile(path, text))
  }
  await simulation.complete(files.makeDirectory('/in'))
  await simulation.complete(files.makeDirectory('/primary'))
  await write('/in/spin30.jsonl', [...annas, bens[0]].join(''))
  // it has missed Anna's second command, and the Pi Ben's second one
  await write('/primary/anna-spin30-spinner-cie3.json', [annas[0], annas[2], annas[3]].join(''))
  await write('/primary/ben-spin30-spinner-cie3.json', bens.join(''))
  expect(await sh('import --data /data --raw /in/spin30.jsonl')).toMatchObject({ code: 0 })
})

test('what each side has missed is told, and what only the primary has is taken once', async () => {
  const found = await sh('reconcile --data /data --primary /primary --json --time-zone Etc/UTC')
  expect(JSON.parse(found.out).days).toEqual([
    { stream: 'spin30', day: '2023-11-14', both: 4, onlyPrimary: 1, onlyPi: 1, counted: 0, notComparable: 0 }
  ])
  expect(found.code).toBe(1)
  const table = await sh('reconcile --data /data --primary /primary --import --time-zone Etc/UTC')
  expect(table.out).toMatch(/^spin30 +2023-11-14 +4 +1 +1 +0 +0$/m)
  expect(table.out).toContain('1 message taken into the journal')
  expect(table.out).not.toMatch(/anna|ben/)
  const again = await sh('reconcile --data /data --primary /primary --import --json')
  expect(JSON.parse(again.out)).toMatchObject({
    imported: { imported: 0 },
    days: [{ both: 5, onlyPrimary: 0, onlyPi: 1 }]
  })
})

test('a damaged folder and the journal become one that is whole', async () => {
  expect(await sh('restore --data /data --heal /primary --out /healed --json')).toMatchObject({ code: 0, err: '' })
  expect(await read('/healed/anna-spin30-spinner-cie3.json')).toBe(annas[3])
  expect(await read('/healed/ben-spin30-spinner-cie3.json')).toBe(bens[1])
  expect(await read('/healed/anna-spinner-cie3-adjacency.csv')).toContain('speed_step,0.0,0.0,1.0,0.0,1.0,0.0')
  expect(await sh('reconcile --data /data --primary /healed')).toMatchObject({ code: 0 })
  expect(await sh('restore --data /data --out /restored')).toMatchObject({ code: 0, out: '2 students, 4 files\n' })
  for (const { name } of await simulation.complete(files.list('/healed'))) {
    expect(await read(`/restored/${name}`)).toBe(await read(`/healed/${name}`))
  }
  expect(await sh('restore --data /data --out /restored')).toMatchObject({ code: 2 })
})

test('beside a running recorder it is asked for everything', async () => {
  const lab = new SimulatedLab(machine.world, { streams: 1, rateHz: 1 })
  await simulation.complete(lab.open(machine.world, '/credentials'))
  const recorder = new Running(machine, 'run --data /data --credentials /credentials')
  await simulation.run(2000)
  const found = await sh('reconcile --data /data --primary /primary --import --json')
  expect(JSON.parse(found.out)).toMatchObject({ imported: { imported: 1, copies: 0 } })
  expect(await sh('restore --data /data --heal /primary --out /healed')).toMatchObject({ code: 0, err: '' })
  expect(await read('/healed/ben-spin30-spinner-cie3.json')).toBe(bens[1])
  expect(await sh('reconcile --data /data --primary /healed')).toMatchObject({ code: 0 })
  recorder.stop()
  expect(await simulation.complete(recorder.result, 600_000)).toMatchObject({ code: 0, err: '' })
})

test('exports are made pseudonymous from the command line', async () => {
  await simulation.complete(files.writeFile('/key', 'k'.repeat(40), 0o600))
  const line = 'export --data /data --pseudonyms /key --format primary --out /out --json'
  const { out, code } = await sh(line)
  expect(code).toBe(0)
  expect(out).not.toMatch(/anna|ben/)
  expect(JSON.parse(out).files).toHaveLength(4)
  expect(await sh('export --data /data --pseudonyms /missing --out -')).toMatchObject({ code: 2 })
  expect(await sh('export --data /data --keep-text --out -')).toMatchObject({ code: 2 })
})

// that of gzip runs in a thread of its own, in real time
test('an export compressed by zstd is imported as it is', async () => {
  expect(await sh(`export --data /data --compress zstd --out /out`)).toMatchObject({ code: 0 })
  const path = `/out/spin30.jsonl.zst`
  expect((await sh(`import --data /other ${path}`)).out).toBe(`${path}: 5 of 5 imported, 0 known already\n`)
  expect((await sh('export --data /other --raw --out -')).out).toBe([...annas, bens[0]].join(''))
  expect(await sh(`export --data /data --raw --compress zstd --out /raw`)).toMatchObject({ code: 0 })
  expect((await sh(`import --data /other --raw /raw/spin30.jsonl.zst`)).out).toContain('5 known already')
  const whole = await simulation.complete(files.readFile(path))
  await simulation.complete(files.writeFile(path, whole.subarray(0, -9)))
  expect(await sh(`import --data /third ${path}`)).toMatchObject({ code: 1 })
  expect((await sh(`import --data /third ${path}`)).err).toContain('UNDERSTUDY_NOT_DECOMPRESSED')
})

test.each([
  'reconcile --data /data',
  'restore --data /data',
  'restore --data /data --out /x --keep-counted',
  'export --data /data --out - --compress zstd',
  'export --data /data --out /x --format parquet --compress gzip',
  'export --data /data --out /x --format csv'
])('called wrongly: %s', async (line) => expect(await sh(line)).toMatchObject({ code: 2 }))

test("days are those of the site's zone, or of another one that is named", async () => {
  await simulation.complete(files.writeFile('/site.toml', 'time_zone = "Asia/Kathmandu"\n[data]\ndirectory = "/data"'))
  const days = async (more: string): Promise<unknown> => {
    const { out } = await sh(`reconcile --config /site.toml --primary /primary --json${more}`)
    return JSON.parse(out).days.map(({ day }: { day: string }) => day)
  }
  // 22:13 in UTC
  expect(await days('')).toEqual(['2023-11-15'])
  expect(await days(' --time-zone America/New_York')).toEqual(['2023-11-14'])
  const { code, err } = await sh('reconcile --data /data --primary /primary --time-zone Moon/Crater')
  expect([code, err]).toEqual([2, expect.stringContaining('a time zone, like "Europe/London"')])
})

test('the order of what was imported is not judged', async () => {
  const lines = [annas[1], annas[0], annas[2], annas[3]].join('')
  await simulation.complete(files.writeFile('/primary/anna-spin30-spinner-cie3.json', lines))
  await simulation.complete(files.writeFile('/primary/ben-spin30-spinner-cie3.json', bens[0]!))
  const { code, out } = await sh('reconcile --data /data --primary /primary --json')
  expect([code, JSON.parse(out).reordered]).toEqual([0, []])
})
