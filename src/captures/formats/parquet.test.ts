import { zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { frame, MemoryJournal, START_US } from '../../../test/support/memory-journal.ts'
import { Simulation } from '../../sim/world/simulation.ts'
import { exportToDirectory, exportToOutput } from '../export.ts'
import type { ImportedFrame } from '../import.ts'
import { envelope } from './envelope.ts'
import { parquet } from './parquet.ts'

const DAY_US = 86_400_000_000
const compressors = { ZSTD: (data: Uint8Array) => new Uint8Array(zstdDecompressSync(data)) }

async function exported(frames: readonly ImportedFrame[], format = parquet()) {
  const simulation = new Simulation(3)
  const world = simulation.machine('pi').world
  const options = { query: {}, format }
  const report = await simulation.complete(exportToDirectory(world, new MemoryJournal(frames, 50), '/out', options))
  const read = async (name: string): Promise<ArrayBuffer> => {
    const data = await simulation.complete(world.files.readFile(`/out/${name}`))
    return new Uint8Array(data).buffer
  }
  return { report, read }
}

/** The same rows as the lines with envelope. */
async function expected(frames: readonly ImportedFrame[]): Promise<object[]> {
  let text = ''
  const journal = new MemoryJournal(frames)
  const write = async (data: Buffer): Promise<void> => {
    text += data.toString()
  }
  await exportToOutput(write, journal, { query: {}, format: envelope })
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

async function rowsOf(file: ArrayBuffer): Promise<object[]> {
  const rows = await parquetReadObjects({ file, compressors })
  return rows.map((row) => {
    const present = Object.entries(row).filter(([, value]) => value !== null && value !== undefined)
    return Object.fromEntries(present.map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]))
  })
}

const payloads = fc.array(
  fc.oneof(
    fc.json().map((json) => Buffer.from(json)),
    fc
      .record({ user: fc.string({ unit: 'grapheme' }), t: fc.oneof(fc.double(), fc.nat()), type: fc.constant('log') })
      .map((message) => Buffer.from(JSON.stringify(message))),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes))
  ),
  { maxLength: 3 }
)

test('has the rows of the lines with envelope, whatever came', async () => {
  const one = fc.record({
    payload: payloads.map((parts) => Buffer.concat(parts)),
    wallUs: fc.integer({ min: 0, max: 9 }).map((some) => START_US + some),
    source: fc.constantFrom('ntp', 'none', 'trusted'),
    binary: fc.boolean()
  })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 20 }), async (list) => {
      const frames = list.map((fields) => frame(fields))
      const { report, read } = await exported(
        frames,
        parquet(() => undefined)
      )
      expect(report.files).toEqual(['spin30.parquet'])
      expect(await rowsOf(await read('spin30.parquet'))).toEqual(await expected(frames))
    }),
    { numRuns: 60 }
  )
})

test('one file a stream and day', async () => {
  const { report } = await exported([
    frame({ wallUs: START_US }),
    frame({ wallUs: START_US + DAY_US }),
    frame({ stream: 'spin31', wallUs: START_US })
  ])
  expect(report.files).toEqual(['spin30-2023-11-14.parquet', 'spin30-2023-11-15.parquet', 'spin31-2023-11-14.parquet'])
})

test('what is too much for the memory becomes several row groups', async () => {
  const text = JSON.stringify({ text: 'x'.repeat(1 << 20) })
  const frames = Array.from({ length: 60 }, (_, index) => frame({ text, stream: index % 3 ? 'spin30' : 'spin31' }))
  const { read } = await exported(frames)
  const { row_groups: groups, num_rows: rows } = parquetMetadata(await read('spin30-2023-11-14.parquet'))
  expect(groups.length).toBeGreaterThan(1)
  expect(rows).toBe(40n)
})
