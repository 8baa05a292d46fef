import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Captures } from '../../src/captures/captures.ts'
import type { CaptureConfig } from '../../src/config/config.ts'
import { realWorld } from '../../src/world/real.ts'
import { openJournal, silent } from '../support/journals.ts'

const page = readFileSync(new URL('../../docs/captures.md', import.meta.url), 'utf8')
const recipe = /```sh\n(.*?)```/s.exec(page)?.[1] ?? ''
const dayUs = Date.UTC(2025, 2, 10) * 1000
const common = { schedule: '0 0 * * *', durationMs: 86_400_000, timeZone: 'Etc/UTC', streams: [] }
const captures: CaptureConfig[] = [
  { name: 'zstd', format: 'envelope', compression: 'zstd', ...common },
  { name: 'gzip', format: 'raw', compression: 'gzip', ...common },
  { name: 'parquet', format: 'parquet', compression: 'zstd', ...common },
  { name: 'primary', format: 'primary', compression: 'zstd', ...common }
]

const names = captures.map(({ name }) => name)
const command = {
  user: '../student',
  exp: 'spinner',
  course: 'cie3',
  hardware: 'spin30',
  type: 'analytics',
  payload: {}
}

let directory: string

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'understudy-recipe-'))
  const world = await realWorld()
  const journal = await openJournal(world, directory, { commitIntervalMs: 500, storeBytes: 1e9, storeAgeMs: 1e12 })
  for (let number = 0; number < 20_000; number++) {
    const stamp = { wallUs: dayUs + number * 4_000_000, monoUs: number, boot: 'b', source: 'ntp' } as const
    const payload = Buffer.from(number % 9 === 0 ? 'no JSON' : JSON.stringify({ ...command, number }))
    journal.append({ stream: `spin${30 + (number % 2)}`, payload, binary: false, origin: 'import', stamp })
  }
  await journal.commit()
  const made = new Captures(world, journal, { directory, site: 'pi', version: '1', captures }, silent)
  for (const { name } of captures) expect(await made.run(name, dayUs)).toEqual(['2025-03-10'])
  await made.stop()
  await journal.close()
})

afterAll(() => rmSync(directory, { recursive: true }))

const folder = (capture: string): string => join(directory, 'captures', capture, '2025-03-10')
const check = (capture: string): ReturnType<typeof spawnSync> =>
  spawnSync('sh', ['-c', recipe], { cwd: folder(capture), encoding: 'utf8' })

test.each(names)('the recipe of the docs finds a folder of %s sound', (capture) => {
  expect(check(capture)).toMatchObject({ status: 0, stdout: 'sound\n', stderr: '' })
})

test('what stock programs make of the files is what was counted', () => {
  const manifest = JSON.parse(readFileSync(join(folder('zstd'), 'manifest.json'), 'utf8')) as {
    streams: Array<{ frames: number; messages: number; others: number }>
  }
  const { stdout } = spawnSync('sh', ['-c', 'zstd -dcq *.zst | jq -c .seq | wc -l'], { cwd: folder('zstd') })
  expect(Number(stdout.toString())).toBe(manifest.streams.reduce((sum, { frames }) => sum + frames, 0))
  const raw = spawnSync('sh', ['-c', 'gzip -dc *.jsonl.gz | jq -c .number | wc -l'], { cwd: folder('gzip') })
  expect(Number(raw.stdout.toString())).toBe(manifest.streams.reduce((sum, { messages }) => sum + messages, 0))
})

test.each(names)('it finds a byte that changed in a folder of %s', (capture) => {
  const manifest = readFileSync(join(folder(capture), 'manifest.json'), 'utf8')
  const { files } = JSON.parse(manifest) as { files: Array<{ name: string }> }
  const path = join(folder(capture), files[0]!.name)
  const whole = readFileSync(path)
  const changed = Buffer.from(whole)
  changed[100]! ^= 1
  writeFileSync(path, changed)
  expect(check(capture).status).not.toBe(0)
  writeFileSync(path, whole)
  expect(check(capture).status).toBe(0)
})

test.each(['zstd', 'gzip'])('it finds a manifest that lies of the content in a folder of %s', (capture) => {
  const manifest = readFileSync(join(folder(capture), 'manifest.json'), 'utf8')
  const { files } = JSON.parse(manifest) as { files: Array<{ uncompressed: { sha256: string } }> }
  const lie = manifest.replace(files[0]!.uncompressed.sha256, 'f'.repeat(64))
  writeFileSync(join(folder(capture), 'manifest.json'), lie)
  expect(check(capture)).toMatchObject({ stdout: expect.stringContaining('its content is another') })
  writeFileSync(join(folder(capture), 'manifest.json'), manifest)
})
