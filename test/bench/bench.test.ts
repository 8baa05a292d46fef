import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const main = join(root, 'bench/main.ts')
/** Where the benches put what they need for a time. */
let place: string
let env: NodeJS.ProcessEnv

beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), 'understudy-bench-test-'))
  env = { ...process.env, TMPDIR: place }
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')])
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

/** What a quick run prints. */
function quick(...names: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...names, '--quick'], { encoding: 'utf8', env })
  expect(status, stderr).toBe(0)
  expect(readdirSync(place)).toEqual([])
  return stdout
}

test('sealing: a part of the day, and the day with its Parquet, beside their peer', () => {
  const printed = quick('seal', 'seal-day')
  expect(printed.match(/^\| sealing the day.*\d/gm)).toHaveLength(2)
  expect(printed).toMatch(/^\| Parquet of the day, which DuckDB reads with equal counts and values.*\d/m)
})

test("students' graphs: those of every command, and answers, beside pandas", () => {
  const printed = quick('analytics')
  for (const row of ['pandas', 'Understudy, from the journal', 'an answer to `all_feedback`, median']) {
    expect(printed).toMatch(new RegExp(`^\\| ${row}.*\\d`, 'm'))
  }
})

test('health: what it costs to look', () => {
  expect(quick('health')).toMatch(/^\| looking how everything stands \|.*\d/m)
})

test('page: what those who look at it cost, and what it costs while nobody does', () => {
  const printed = quick('page', 'idle-page')
  for (const row of ['50 event streams', 'ratio, of each pair', 'with the page', 'with the page, looked at once']) {
    expect(printed).toMatch(new RegExp(`^\\| ${row}.*\\d`, 'm'))
  }
})

test('starting: as shipped, from a checkout, and the peer', () => {
  expect(quick('start')).toMatch(/^\| Understudy as shipped \|.*\d/m)
})

test('receiving and memory: everyone takes every message, and a quick look leaves the page alone', () => {
  const file = join(root, 'docs/benchmarks.md')
  const page = (): string | undefined => (existsSync(file) ? readFileSync(file, 'utf8') : undefined)
  const before = page()
  const printed = quick('receive', 'memory')
  for (const row of [
    'the primary, in Python',
    'Understudy, every stream live',
    'bare `ws`',
    'Understudy, 100 streams'
  ]) {
    expect(printed).toMatch(new RegExp(`^\\| ${row}.*\\d`, 'm'))
  }
  expect(page()).toBe(before)
})

/** Root may still be kept from loop devices, in a container. */
const canLoop = process.getuid?.() === 0 && spawnSync('/usr/sbin/losetup', ['--find']).status === 0

describe.skipIf(!canLoop)('writing (needs root and loop devices)', () => {
  test('device bytes of every writer on both kinds of disk', () => {
    const printed = quick('store')
    for (const row of ['Understudy, ext4 with `fast_commit`', 'the floor: a preallocated file, ext4']) {
      expect(printed).toMatch(new RegExp(`^\\| ${row} \\|.*\\d`, 'm'))
    }
  })

  test('stopped in the middle, it unmounts its disks and removes them', async () => {
    const mounts = (): string => readFileSync('/proc/mounts', 'utf8')
    const bench = spawn(process.execPath, [main, 'store', '--quick'], { stdio: 'ignore', env })
    await expect.poll(mounts, { timeout: 60_000 }).toContain(place)
    bench.kill('SIGTERM')
    await once(bench, 'exit')
    expect(mounts()).not.toContain(place)
    expect(execFileSync('/usr/sbin/losetup', ['--list'], { encoding: 'utf8' })).not.toContain(place)
    expect(readdirSync(place)).toEqual([])
  })
})
