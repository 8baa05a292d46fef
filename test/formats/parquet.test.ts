import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exportToDirectory, exportToOutput } from '../../src/captures/export.ts'
import { envelope } from '../../src/captures/formats/envelope.ts'
import { parquet } from '../../src/captures/formats/parquet.ts'
import type { ImportedFrame } from '../../src/captures/import.ts'
import { realFiles } from '../../src/world/real/files.ts'
import { realZstd } from '../../src/world/real/zstd.ts'
import { frame, MemoryJournal, START_US } from '../support/memory-journal.ts'

const here = import.meta.dirname
let place: string

beforeAll(() => {
  execFileSync(join(here, 'duckdb-setup.sh'))
  place = mkdtempSync(join(tmpdir(), 'understudy-parquet-'))
}, 600_000)
afterAll(() => rmSync(place, { recursive: true, force: true }))

/** All that a stream can bring, in several row groups. */
function* someFrames(): Generator<ImportedFrame> {
  const long = 'é\u2028"\\'.repeat(5000)
  for (let index = 0; index < 2000; index++) {
    const message = { user: `user ${index % 7} \u{1f600}`, t: START_US / 1000 + index / 3, type: 'log', text: long }
    const text = index % 5 === 0 ? `${JSON.stringify(message)}junk` : JSON.stringify(message)
    yield frame({ text, wallUs: START_US + index, monoUs: index, source: index % 3 ? 'ntp' : 'none' })
  }
  yield frame({ payload: Buffer.from([0xff, 0x00, 0xfe]), binary: true })
  yield frame({ text: '' })
  yield frame({ text: '{"user":7,"t":-0.5,"payload":{"log":"voltage"}}', boot: '', monoUs: 2 ** 52 })
}

test('DuckDB reads the same rows and values as the lines with envelope have', async () => {
  const journal = new MemoryJournal([...someFrames()], 100)
  const format = parquet(() => undefined)
  await exportToDirectory({ files: realFiles, zstd: realZstd }, journal, place, { query: {}, format })
  const lines: string[] = []
  const write = async (data: Buffer): Promise<void> => void lines.push(...data.toString().trimEnd().split('\n'))
  await exportToOutput(write, journal, { query: {}, format: envelope })

  const python = join(here, '.venv/bin/python')
  const read = execFileSync(python, [join(here, 'read-parquet.py'), join(place, 'spin30.parquet')], {
    encoding: 'utf8',
    maxBuffer: 1 << 30
  })
  const rows = read.trimEnd().split('\n')
  expect(rows.length).toBe(lines.length)
  for (const [index, row] of rows.entries()) expect(JSON.parse(row)).toEqual(JSON.parse(lines[index]!))
})
