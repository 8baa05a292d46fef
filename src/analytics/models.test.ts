import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { realFiles } from '../world/real/files.ts'
import { tableCsv } from './count-csv.ts'
import { nodesOf } from './experiments.ts'
import { loadModels, shippedGraphs } from './models.ts'

const [spinner, pendulum] = [nodesOf.spinner, nodesOf.pendulum]
const loops = (weight: number): number[][] =>
  spinner.map((_, row) => spinner.map((_, column) => (row === column ? weight : 0)))

async function folderOf(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-graphs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  return folder
}

test('the graphs that the program comes with', async () => {
  const models = await loadModels(realFiles)
  expect(models.problems).toEqual([])
  expect(models.list().length).toBe(18)
  expect(models.of('spinner', 'cie3').length).toBe(8)
  expect(models.of('spinner', 'engdes1').length).toBe(5)
  expect(models.of('pendulum', 'engdes1').length).toBe(5)
  expect(models.of('spinner', 'cie')).toEqual([])
  expect(models.get('pendulum-engdes1-1-core-ext')).toMatchObject({
    exp: 'pendulum',
    course: 'engdes1',
    task: '1-core-ext'
  })
  const edges = models
    .get('pendulum-engdes1-1-core')!
    .matrix.flatMap((row, from) =>
      row.flatMap((weight, to) => (weight > 0 ? [`${pendulum[from]}>${pendulum[to]} ${weight}`] : []))
    )
  expect(edges).toEqual([
    'start>record 1',
    'sampling>start 1',
    'sampling>record 3',
    'record>sampling 3',
    'record>record 37'
  ])
})

test('they are written as pandas writes them', async () => {
  for (const { name, exp, matrix } of (await loadModels(realFiles)).list()) {
    expect(readFileSync(join(shippedGraphs, `${name}.csv`), 'utf8')).toBe(tableCsv(nodesOf[exp], nodesOf[exp], matrix))
  }
})

test('a new one is found by its name, a bad one is refused by name, and the others serve', async () => {
  const good = tableCsv(spinner, spinner, loops(2))
  const bad: Record<string, [content: string | Uint8Array, why: string]> = {
    'spinner-cie3.csv': [good, 'its name is not exp-course-task.csv'],
    'governor-cie3-1.csv': [good, 'its name begins with no known experiment'],
    '__proto__-cie3-1.csv': [good, 'its name begins with no known experiment'],
    'pendulum-cie3-1.csv': [good, 'it is no table of whole numbers between the commands of pendulum'],
    'spinner-cie3-html.csv': ['<html>', 'it is no table of whole numbers between the commands of spinner'],
    'spinner-cie3-less.csv': [
      good.replace('2.0', '-2.0'),
      'it is no table of whole numbers between the commands of spinner'
    ],
    'spinner-cie3-nan.csv': [
      good.replace('2.0', 'NaN'),
      'it is no table of whole numbers between the commands of spinner'
    ],
    'spinner-cie3-none.csv': [tableCsv(spinner, spinner, loops(0)), 'it has no edges'],
    'spinner-cie3-latin.csv': [Buffer.from([0xff, 0xe4]), 'it is not UTF-8 text'],
    'spinner-cie3-huge.csv': ['x'.repeat(100_001), 'it is larger than 100000 bytes']
  }
  const contents = Object.fromEntries(Object.entries(bad).map(([name, [content]]) => [name, content]))
  const folder = await folderOf({
    ...contents,
    'spinner-newcourse-1.csv': `\ufeff${good.replaceAll('\n', '\r\n')}`,
    'spinner-newcourse-all.csv': tableCsv(spinner.toReversed(), spinner, loops(2).toReversed()),
    'README.txt': 'not a graph',
    '.spinner-cie3-1.csv': 'of an editor'
  })
  const told: object[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (fields: object) => told.push(fields) }
  const models = await loadModels(realFiles, folder, log)
  expect(models.list().map(({ name }) => name)).toEqual(['spinner-newcourse-1', 'spinner-newcourse-all'])
  expect(models.get('spinner-newcourse-1')!.matrix).toEqual(loops(2))
  expect(models.all('spinner', 'newcourse')!.matrix).toEqual(loops(2))
  const expected = Object.entries(bad).map(([file, [, detail]]) => ({ file, code: 'UNDERSTUDY_GRAPH_INVALID', detail }))
  expect(models.problems).toEqual(expect.arrayContaining(expected))
  expect(models.problems.length).toBe(expected.length)
  expect(told).toEqual(models.problems)
})

test('a folder that is not there gives no graphs, and says so', async () => {
  const models = await loadModels(realFiles, '/nowhere/graphs')
  expect(models.list()).toEqual([])
  expect(models.problems).toEqual([{ file: '/nowhere/graphs', code: 'UNDERSTUDY_GRAPHS_UNREADABLE', detail: 'ENOENT' }])
})
