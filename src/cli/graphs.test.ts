import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { installGraphs } from '../../test/support/graphs.ts'
import { type Ran, Running } from '../../test/support/shell.ts'
import { shippedGraphs } from '../analytics/models.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { World } from '../world/world.ts'
import { loadCommands } from './program.ts'

await loadCommands()

let simulation: Simulation
let world: World
let sh: (line: string, env?: Record<string, string>) => Promise<Ran>

beforeEach(async () => {
  simulation = new Simulation(7)
  const machine = simulation.machine('pi')
  world = machine.world
  sh = (line, env) => simulation.complete(new Running(machine, line, env).result, 600_000)
  await simulation.complete(installGraphs(world.files))
  await simulation.complete(world.files.makeDirectory('/t'))
})

const write = (path: string, content: string | Buffer): Promise<void> =>
  simulation.complete(world.files.writeFile(path, content))

const read = async (path: string): Promise<string> => (await simulation.complete(world.files.readFile(path))).toString()

const given = (log: string, fields: object = {}): string =>
  `${JSON.stringify({ user: 'teacher', t: 1, exp: 'spinner', course: 'cie3', hardware: 'spin30', type: 'analytics', payload: { log }, ...fields })}\n`

test('check lists the graphs that Understudy comes with', async () => {
  const { code, out } = await sh('graphs check')
  expect(code).toBe(0)
  expect(out).toMatch(/^spinner-cie3-mean-21-22 +spinner +cie3 +mean-21-22 +7 +918$/m)
  expect(out.split('\n').length).toBe(20)
})

test('check names the bad ones of a folder, and what is wrong', async () => {
  await write('/t/spinner-cie3-9.csv', 'rubbish')
  await write('/t/spinner-x-1.csv', await read(join(shippedGraphs, 'spinner-cie3-4.csv')))
  for (const { code, out } of [await sh('graphs check /t'), await sh('graphs check', { COMP_PATH: '/t' })]) {
    expect(code).toBe(1)
    expect(out).toContain('spinner-x-1')
    expect(out).toMatch(/^spinner-cie3-9\.csv: UNDERSTUDY_GRAPH_INVALID: it is no table/m)
  }
  const { out: told } = await sh('doctor --data /t/data --credentials /t', { COMP_PATH: '/t' })
  expect(told).toMatch(/^ok +comparison graphs: 1 graph in \/t$/m)
  expect(told).toMatch(/^error +comparison graphs: UNDERSTUDY_GRAPH_INVALID: spinner-cie3-9.csv: it is no table/m)
  const { code, out } = await sh('graphs check /nowhere --json')
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({ graphs: [], problems: [{ code: 'UNDERSTUDY_GRAPHS_UNREADABLE' }] })
})

test('build makes a graph of a raw log, that check accepts', async () => {
  const log = [given('voltage'), given('voltage'), given('nothing'), given('position'), given('voltage')].join('')
  await write('/t/teacher.json', log)
  expect(await sh('graphs build /t/teacher.json --out /t/spinner-cie3-5.csv')).toMatchObject({
    code: 0,
    out: '3 transitions written to /t/spinner-cie3-5.csv\n'
  })
  expect(await read('/t/spinner-cie3-5.csv')).toBe(
    [
      ',voltage_step,voltage_ramp,position_step,position_ramp,speed_step,speed_ramp',
      'voltage_step,1.0,0.0,1.0,0.0,0.0,0.0',
      'voltage_ramp,0.0,0.0,0.0,0.0,0.0,0.0',
      'position_step,1.0,0.0,0.0,0.0,0.0,0.0',
      'position_ramp,0.0,0.0,0.0,0.0,0.0,0.0',
      'speed_step,0.0,0.0,0.0,0.0,0.0,0.0',
      'speed_ramp,0.0,0.0,0.0,0.0,0.0,0.0\n'
    ].join('\n')
  )
  expect((await sh('graphs check /t')).code).toBe(0)
  expect((await sh('graphs build /t/teacher.json --out /t/spinner-cie3-5.csv')).err).toContain('OUTPUT_EXISTS')
  // the same from an export of ours
  const envelope = {
    stream: 'spin30',
    seq: 1,
    part: 0,
    time_us: 5,
    mono_us: 5,
    boot: 'b',
    synced: true,
    origin: 'relay'
  }
  const lines = log
    .trim()
    .split('\n')
    .map((raw, seq) => `${JSON.stringify({ ...envelope, seq, raw })}\n`)
  await write('/t/spin30.jsonl', lines.join(''))
  await sh('graphs build /t/spin30.jsonl --out /t/spinner-cie3-6.csv')
  expect(await read('/t/spinner-cie3-6.csv')).toBe(await read('/t/spinner-cie3-5.csv'))
})

test('several logs go by time, several people have to be told apart', async () => {
  await write(
    '/t/a.json',
    given('voltage', { t: 1 }) +
      given('voltage', { t: 3 }) +
      given('speed', { user: 'abc', t: 9 }) +
      given('speed', { user: 'abc', t: 9 })
  )
  await write('/t/b.json', given('speed', { t: 2, hardware: 'spin31' }))
  const { code, err } = await sh('graphs build /t/a.json /t/b.json --out /t/spinner-cie3-5.csv')
  expect(code).toBe(1)
  expect(err).toContain('of 2 people')
  expect(err).not.toMatch(/abc|teacher/)
  const { out } = await sh('graphs build /t/a.json /t/b.json --user teacher --out /t/spinner-cie3-5.csv --json')
  expect(JSON.parse(out)).toMatchObject({ graph: 'spinner-cie3-5', edges: 2, transitions: 2, badLines: 0 })
})

test('what cannot become a graph says why', async () => {
  await write('/t/log', given('voltage'))
  const cases: Array<[line: string, code: number, said: string]> = [
    ['/t/log --out /t/spinner-cie3-5.csv', 1, 'one command alone'],
    ['/t/log --out /t/spinner-new-5.csv', 1, 'no commands of spinner in new, but commands of spinner in cie3'],
    ['/t/log --out /t/governor-cie3-5.csv', 1, 'no known experiment'],
    ['/t/log --out /t/spinner.csv', 1, 'its name is not exp-course-task.csv'],
    ['/t/log --out /t/spinner-cie3-5', 2, 'UNDERSTUDY_USAGE'],
    ['/t/log', 2, 'UNDERSTUDY_USAGE'],
    ['/t/none --out /t/spinner-cie3-5.csv', 1, 'ENOENT']
  ]
  for (const [line, code, said] of cases) {
    const ran = await sh(`graphs build ${line}`)
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(said)])
  }
  await write('/t/two', `${given('voltage')}rubbish\n${given('voltage')}`)
  const ran = await sh('graphs build /t/two --course cie3 --out /t/spinner-new-5.csv')
  expect(ran).toMatchObject({ code: 1, err: expect.stringContaining('1 line that is no message: two:2') })
  expect(await read('/t/spinner-new-5.csv')).toContain('voltage_step,1.0')
})

test.each(['graphs', 'graphs check a b', 'graphs build', 'graphs draw x'])(
  '%s is told how to be called',
  async (line) => {
    expect(await sh(line)).toMatchObject({ code: 2, err: expect.stringContaining('UNDERSTUDY_USAGE') })
  }
)
