import { beforeEach, expect, test } from 'vitest'
import { installGraphs } from '../../test/support/graphs.ts'
import { type Ran, Running } from '../../test/support/shell.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { loadCommands } from './program.ts'

await loadCommands()

const [anna, bert] = ['a1b2c3d4-0000-4000-8000-00000000000a', 'a1b2c3d4-0000-4000-8000-00000000000b']

let simulation: Simulation
let machine: Machine
const sh = (line: string): Promise<Ran> =>
  simulation.complete(new Running(machine, `${line} --data /data`).result, 600_000)

const message = (user: string, log: string, fields: object = {}): string =>
  `${JSON.stringify({ user, t: Date.parse('2026-11-02T10:00:00Z'), exp: 'spinner', course: 'cie3', hardware: 'spin30', type: 'analytics', payload: { log }, ...fields })}\n`

beforeEach(async () => {
  simulation = new Simulation(7)
  machine = simulation.machine('pi')
  const { files } = machine.world
  await simulation.complete(installGraphs(files))
  const lines = [
    ...['voltage', 'voltage', 'position', 'position'].map((log) => message(anna, log)),
    message(anna, 'x', { type: 'feedback', payload: { state: 'Curious', subject: 'UI' } }),
    ...['speed', 'speed'].map((log) => message(anna, log, { course: 'engdes1' })),
    message(bert, 'position', { t: Date.parse('2026-11-03T10:00:00Z') }),
    message('\u001b[2J', 'voltage')
  ]
  await simulation.complete(files.writeFile('/spin30.jsonl', lines.join('')))
  expect((await sh('import --raw /spin30.jsonl')).code).toBe(0)
})

/** While nobody records, and while somebody does. */
async function both(use: () => Promise<void>): Promise<void> {
  await use()
  const running = new Running(machine, 'run --data /data --credentials /none')
  await simulation.run(5000)
  await use()
  running.stop()
  await simulation.complete(running.result)
}

test('students are listed a course, with the task that each is nearest to', async () => {
  await both(async () => {
    const { code, out, err } = await sh('students')
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^spinner cie3: 3 students$/m)
    expect(out).toMatch(/^a1b2c3d4… +5 +4 +2026-11-02T10:00:00.000Z +spinner-cie3-1-2-4 +9\.\d\d$/m)
    expect(out).toMatch(/^a1b2c3d4… +1 +1 +2026-11-03T10:00:00.000Z +- +-$/m)
    expect(out).toMatch(/^spinner engdes1: 1 student$/m)
    expect(out).not.toContain('00000000000')
    expect(out).not.toContain('\u001b')
  })
})

test('whole ids are shown when asked for, and to scripts too', async () => {
  await both(async () => {
    const shown = JSON.parse((await sh('students --course cie3 --json --show-ids')).out)
    expect(shown.map(({ user }: { user: string }) => user).sort()).toEqual([anna, bert, '\ufffd[2J'].sort())
    expect((await sh('students --json')).out).not.toContain('00000000000')
    expect((await sh('students --exp pendulum')).out).toBe('no students\n')
  })
})

test("a student's graph is drawn beside a task's", async () => {
  await both(async () => {
    const csv = await sh(`graph ${anna} --task spinner-cie3-1-2-4 --csv`)
    expect(csv.err).toBe('')
    expect(csv.out).toContain('voltage_step,position_step,1,1,plain\n')
    const svg = await sh(`graph ${anna} --task spinner-cie3-3 --svg`)
    expect(svg.out).toContain('<title id="graph-title">a1b2c3d4… in spinner cie3, beside spinner-cie3-3</title>')
    expect(svg.out).not.toContain(anna)
    expect((await sh(`graph ${anna} --course engdes1 --dot --show-ids`)).out).toContain(anna)
    expect(JSON.parse((await sh(`graph ${bert} --task spinner-cie3-4 --json`)).out)).toMatchObject({
      task_distance: null,
      edit_distance: 29
    })
  })
})

test('who is meant has to be clear', async () => {
  await both(async () => {
    expect(await sh('graph a1b2c3d4… --svg')).toMatchObject({ code: 2, err: expect.stringContaining('2 ids begin so') })
    expect((await sh(`graph ${anna} --svg`)).err).toMatch(/name one of spinner cie3, spinner engdes1 with/)
    expect((await sh('graph nobody --svg')).err).toContain('UNDERSTUDY_UNKNOWN_STUDENT')
    expect((await sh(`graph ${bert} --task spinner-cie3-7 --svg`)).err).toContain('UNDERSTUDY_UNKNOWN_GRAPH')
    expect((await sh(`graph ${bert} --task pendulum-engdes1-2 --svg`)).err).toContain('UNDERSTUDY_USAGE')
    expect((await sh(`graph ${bert}`)).err).toContain('UNDERSTUDY_USAGE')
    expect((await sh(`graph ${bert} --svg --dot`)).err).toContain('UNDERSTUDY_USAGE')
  })
})
