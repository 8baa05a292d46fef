import { beforeEach, expect, test } from 'vitest'
import { frame, MemoryJournal } from '../../test/support/memory-journal.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { World } from '../world/world.ts'
import { exportToDirectory } from './export.ts'
import { envelope } from './formats/envelope.ts'
import { lineFiles } from './formats/line-files.ts'
import { raw } from './formats/raw.ts'

let simulation: Simulation
let world: World

beforeEach(() => {
  simulation = new Simulation(3)
  world = simulation.machine('pi').world
})

const journal = new MemoryJournal([
  frame({ text: '{"a":1}{"a":2}' }),
  frame({ text: '{"b":1}', stream: 'spin31', wallUs: 5000 }),
  frame({ text: 'junk' }),
  frame({ text: '{"a":3}' })
])

type Options = Parameters<typeof exportToDirectory>[3]

function exported(from: MemoryJournal, options: Partial<Options> = {}): ReturnType<typeof exportToDirectory> {
  const all = { query: {}, format: lineFiles(raw), ...options }
  return simulation.complete(exportToDirectory(world, from, '/out', all))
}

const read = async (path: string): Promise<string> => (await simulation.complete(world.files.readFile(path))).toString()
const names = async (): Promise<string[]> =>
  (await simulation.complete(world.files.list('/out'))).map(({ name }) => name)

test('each stream has its file, and what is no JSON a file beside', async () => {
  expect(await exported(journal)).toMatchObject({
    frames: 4,
    messages: 4,
    others: 1,
    erased: 0,
    files: ['spin30.jsonl', 'spin30.other', 'spin31.jsonl']
  })
  expect(await read('/out/spin30.jsonl')).toBe('{"a":1}\n{"a":2}\n{"a":3}\n')
  expect(await read('/out/spin31.jsonl')).toBe('{"b":1}\n')
  expect(JSON.parse(await read('/out/spin30.other'))).toMatchObject({ seq: 2, raw: 'junk' })
})

test('streams and period narrow it', async () => {
  const query = { streams: new Set(['spin31']), toUs: 5001 }
  expect(await exported(journal, { query })).toMatchObject({ frames: 1, files: ['spin31.jsonl'] })
})

test('what is there already is not overwritten', async () => {
  await exported(journal, { query: { streams: new Set(['spin31']) } })
  await expect(exported(journal, { format: lineFiles(envelope) })).rejects.toMatchObject({
    code: 'UNDERSTUDY_OUTPUT_EXISTS'
  })
  expect(await names()).toEqual(['spin31.jsonl'])
})

test('nothing is left of an export that was told to stop', async () => {
  const progress = (frames: number): void => {
    if (frames > 3) throw new Error('enough')
  }
  await expect(exported(journal, { progress })).rejects.toThrow('enough')
  expect(await names()).toEqual([])
})

test('no stream becomes a path', async () => {
  const evil = new MemoryJournal([frame({ stream: '../evil' })])
  await expect(exported(evil)).rejects.toMatchObject({ code: 'UNDERSTUDY_BAD_STREAM_NAME' })
})

test('a file is on the disk, whole, when it has its name', async () => {
  await exported(journal)
  simulation.machine('pi').cutPower()
  world = simulation.machine('pi').boot()
  expect(await read('/out/spin30.jsonl')).toBe('{"a":1}\n{"a":2}\n{"a":3}\n')
})
