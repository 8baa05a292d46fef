import { beforeEach, expect, test } from 'vitest'
import { type Ran, Running } from '../../test/support/shell.ts'
import { edgesOf } from '../analytics/fixtures.ts'
import { StudentGraphs } from '../analytics/student-graphs.ts'
import { openJournal, silent } from '../journal/fixtures.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { loadCommands } from './program.ts'
import { SimulatedLab } from './simulated-lab.ts'

// loading code takes real time, which does not pass in a simulation
await loadCommands()

let simulation: Simulation
let machine: Machine

const START_MS = 1_700_000_000_000
const command = (user: string, t: number, log: string): string => {
  const where = { exp: 'spinner', course: 'cie3', hardware: 'spin30', type: 'analytics' }
  return `${JSON.stringify({ user, t: START_MS + t, ...where, payload: { log } })}\n`
}
const annas = ['voltage', 'speed', 'speed', 'position'].map((log, index) => command('anna', index * 1000, log))
const adjacency = `,voltage_step,voltage_ramp,position_step,position_ramp,speed_step,speed_ramp
voltage_step,0.0,0.0,0.0,0.0,7.0,0.0
voltage_ramp,0.0,0.0,0.0,0.0,0.0,0.0
position_step,0.0,0.0,0.0,0.0,0.0,0.0
position_ramp,0.0,0.0,0.0,0.0,0.0,0.0
speed_step,0.0,0.0,0.0,0.0,0.0,0.0
speed_ramp,0.0,0.0,0.0,0.0,0.0,0.0
`

function sh(line: string): Promise<Ran> {
  return simulation.complete(new Running(machine, line).result, 600_000)
}

async function write(path: string, text: string): Promise<void> {
  await simulation.complete(machine.world.files.writeFile(path, text))
}

/** The edges of Anna's graph, as the data folder has it now. */
async function annasGraph(): Promise<string[]> {
  const journal = await simulation.complete(openJournal(machine.world))
  const graphs = new StudentGraphs(machine.world, journal, silent)
  graphs.start()
  await simulation.complete(graphs.readTo(journal.nextPosition))
  const student = await simulation.complete(graphs.student({ user: 'anna', exp: 'spinner', course: 'cie3' }))
  await simulation.complete(graphs.stop())
  await simulation.complete(journal.close())
  return edgesOf('spinner', student!.matrix)
}

beforeEach(async () => {
  simulation = new Simulation(7)
  machine = simulation.machine('pi')
  await simulation.complete(machine.world.files.makeDirectory('/in'))
  await simulation.complete(machine.world.files.makeDirectory('/primary'))
  await write('/in/spin30.jsonl', annas.join(''))
  // until Anna's second command: of which it has heard seven before that we have not
  await write('/primary/anna-spinner-cie3-adjacency.csv', adjacency)
  await write('/primary/anna-spin30-spinner-cie3.json', annas[1]!)
  expect(await sh('import --data /data --raw /in/spin30.jsonl')).toMatchObject({ code: 0 })
})

const asOf = new Date(START_MS + 1500).toISOString()
const both = ['speed_step>position_step 1', 'speed_step>speed_step 1', 'voltage_step>speed_step 7']

test('graphs go on from where the primary had them, and none is counted twice', async () => {
  expect(await annasGraph()).not.toContain('voltage_step>speed_step 7')
  const line = `import --data /data --graphs /primary --as-of ${asOf}`
  expect(await sh(line)).toMatchObject({ code: 0, out: 'the graphs of 1 of 1 student go on from there\n' })
  expect(await annasGraph()).toEqual(both)
  expect(await sh(line)).toMatchObject({ code: 0 })
  expect(await annasGraph()).toEqual(both)
  const earlier = await sh('import --data /data --graphs /primary --as-of 2020-01-01 --json')
  expect(JSON.parse(earlier.out)).toEqual({ students: 1, taken: 0, older: 1, unreadable: 0 })
  expect(await annasGraph()).toEqual(both)
})

test('beside a running recorder it is asked', async () => {
  const lab = new SimulatedLab(machine.world, { streams: 1, rateHz: 1 })
  await simulation.complete(lab.open(machine.world, '/credentials'))
  const recorder = new Running(machine, 'run --data /data --credentials /credentials')
  await simulation.run(20_000)
  expect(await sh(`import --data /data --graphs /primary --as-of ${asOf}`)).toMatchObject({ code: 0 })
  const { graphs, journal } = JSON.parse((await sh('status --data /data --json')).out)
  expect(graphs.position).toBeGreaterThan(5)
  expect(journal.nextPosition - graphs.position).toBeLessThan(20)
  recorder.stop()
  expect(await simulation.complete(recorder.result, 600_000)).toMatchObject({ code: 0, err: '' })
  expect(await annasGraph()).toEqual(both)
})

test('a table that cannot be read leaves its student as it was, unnamed, and the others are taken', async () => {
  await write('/primary/ben-spinner-cie3-adjacency.csv', ',a\nb,c\n')
  const told = await sh(`import --data /data --graphs /primary --as-of ${asOf}`)
  expect(told).toMatchObject({ code: 1 })
  expect(told.out).toContain('1 student left out, whose tables cannot be read')
  expect(told.out + told.err).not.toContain('ben')
  expect(await annasGraph()).toEqual(both)
})

test.each([
  ['import --data /data --graphs /in --as-of 2020-01-01', 'there is no graph of a student in this folder'],
  ['import --data /data --graphs /primary', '--as-of'],
  ['import --data /data --graphs /primary --as-of soon', '--as-of expects'],
  ['import --data /data --graphs /primary --as-of 2100-01-01', '--as-of is in the future'],
  ['import --data /data --as-of 2020-01-01', '--as-of goes with --graphs'],
  ['import --data /data --graphs /primary --as-of 2020-01-01 /in/spin30.jsonl', '--graphs goes without files'],
  ['import --data /data', 'import expects FILE']
])('called wrongly: %s', async (line, text) => {
  const { code, err } = await sh(line)
  expect(code).toBe(2)
  expect(err).toContain(text)
})
