import { expect, test } from 'vitest'
import { frame, MemoryJournal } from '../../../test/support/memory-journal.ts'
import { Simulation } from '../../sim/world/simulation.ts'
import { exportToDirectory } from '../export.ts'
import { primary } from './primary.ts'

const command = (user: string, log: string, fields: object = {}): string =>
  JSON.stringify({
    user,
    t: 1,
    exp: 'spinner',
    course: 'cie3',
    hardware: 'spin30',
    type: 'analytics',
    payload: { log },
    ...fields
  })
const feedback = command('anna', '', { type: 'feedback', payload: { state: 'Curious', subject: 'UI' } })

async function exported(...texts: string[]) {
  const simulation = new Simulation(3)
  const world = simulation.machine('pi').world
  const journal = new MemoryJournal(texts.map((text) => frame({ text })))
  const report = await simulation.complete(exportToDirectory(world, journal, '/out', { query: {}, format: primary }))
  const read = async (name: string): Promise<string> =>
    (await simulation.complete(world.files.readFile(`/out/${name}`))).toString()
  return { report, read }
}

test('raw logs, matrices and feedback tables have the names and the forms of the primary', async () => {
  const pretty = JSON.stringify(JSON.parse(command('anna', 'speed')), undefined, 2)
  const { report, read } = await exported(
    `${command('anna', 'voltage')}${pretty}junk`,
    command('anna', 'speed', { hardware: 'spin31', t: 2 }),
    feedback,
    command('ben', 'click', { type: 'log' })
  )
  expect(report).toMatchObject({ frames: 4, messages: 5, others: 1, leftOut: 1 })
  expect(report.files).toEqual([
    'anna-spin30-spinner-cie3.json',
    'anna-spin31-spinner-cie3.json',
    'anna-spinner-cie3-adjacency.csv',
    'anna-spinner-cie3-feedback.csv'
  ])
  const lines = (await read('anna-spin30-spinner-cie3.json')).split('\n')
  expect(lines.slice(0, 2).map((line) => JSON.parse(line).payload.log)).toEqual(['voltage', 'speed'])
  expect(lines[2]).toBe('')
  expect(await read('anna-spinner-cie3-adjacency.csv')).toContain('voltage_step,0.0,0.0,0.0,0.0,1.0,0.0\n')
  expect(await read('anna-spinner-cie3-feedback.csv')).toContain('Curious,0.0,0.0,0.0,1.0,0.0')
})

test('names that could be a path are encoded, and their mapping is given', async () => {
  const { report, read } = await exported(command('../../root', 'voltage', { course: '..' }))
  for (const name of report.files) expect(name).toMatch(/^(=[0-9a-f]{32}-.*|names\.json)$/)
  expect(Object.values(JSON.parse(await read('names.json'))).sort()).toEqual(['..', '../../root'])
})

test('what the primary would not file is left out and counted', async () => {
  const { report } = await exported(
    command('anna', 'voltage', { hardware: 7 }),
    command('anna', 'x', { type: 'feedback' }),
    '[]'
  )
  expect(report).toMatchObject({ messages: 3, leftOut: 3, files: [] })
})
