import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let root: string
/** How often vitest was called: once for each suite. */
const suites = (): number => readFileSync(join(root, 'calls'), 'utf8').length

/** A project whose checks and vitest are stand-ins; the programs the suites need are there. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'understudy-test-test-'))
  for (const directory of ['scripts', 'node_modules/.bin']) mkdirSync(join(root, directory), { recursive: true })
  cpSync(join(import.meta.dirname, 'test.mjs'), join(root, 'scripts/test.mjs'))
  const transfers = ['rsync', 'rrsync', 'sshd', 'ssh', 'flock']
  const disks = ['mke2fs', 'mount', 'losetup', 'findmnt']
  const capturing = ['zstd', 'jq', 'chromium']
  const machines = ['systemd-analyze', 'systemd-nspawn', 'dbus-daemon', 'nsenter']
  const all = ['tsc', 'biome', 'knip', 'python3', 'git', ...capturing, ...transfers, ...disks, ...machines]
  for (const name of all) program(name, 'exit 0')
  program('id', 'echo 0')
  vitest({ numPassedTests: 2, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] }, 0)
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function program(name: string, lines: string): void {
  writeFileSync(join(root, 'node_modules/.bin', name), `#!/bin/sh\n${lines}\n`, { mode: 0o755 })
}

/** A vitest that ends with these results, the same for each suite. */
function vitest(results: object, code: number): void {
  const write = `/bin/cat >"\${last#--outputFile.json=}" <<'END'\n${JSON.stringify(results)}\nEND`
  program('vitest', `printf x >>${root}/calls\nfor last; do :; done\n${write}\nexit ${code}`)
}

/** Runs the script with nothing else in PATH. */
function run(env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; last: string } {
  const { status, stdout } = spawnSync(process.execPath, [join(root, 'scripts/test.mjs')], {
    encoding: 'utf8',
    env: { PATH: '', ...env }
  })
  return { status, stdout, last: stdout.trimEnd().split('\n').at(-1) ?? '' }
}

test('adds up what the suites passed', () => {
  const { status, last } = run()
  expect(suites()).toBeGreaterThan(3)
  expect([status, last]).toEqual([0, `${2 * suites()} passed, 0 failed`])
})

test('a failed test is named, counted and decides the exit code', () => {
  const assertionResults = [
    { status: 'failed', fullName: 'two and two', failureMessages: ['Error: five\n    at sum.ts:1'] }
  ]
  const results = { numPassedTests: 1, numFailedTests: 1, numPendingTests: 1, numTodoTests: 0 }
  vitest({ ...results, testResults: [{ assertionResults }] }, 1)
  const { status, stdout, last } = run()
  expect(status).toBe(1)
  expect(stdout).toMatch(/FAILED {3}kill: two and two\n +Error: five\n +at sum\.ts:1\n/)
  expect(last).toBe(`${suites()} passed, ${suites()} failed, ${suites()} skipped`)
})

test('a failed check, and a vitest that fails without a failed test, are failures', () => {
  program('knip', 'exit 1')
  program('vitest', `printf x >>${root}/calls; exit 1`)
  const { status, stdout, last } = run()
  expect(status).toBe(1)
  expect(stdout).toContain('FAILED   dead code: knip')
  expect(stdout).toContain('FAILED   unit: ended without results')
  expect(last).toBe(`0 passed, ${suites() + 1} failed`)
})

test('a missing program skips its suite with a word on how to get it, and fails in CI', () => {
  rmSync(join(root, 'node_modules/.bin/flock'))
  const { status, stdout, last } = run()
  expect(status).toBe(0)
  expect(stdout).toContain('skipped  sync: needs flock (apt-get install util-linux)')
  expect(last).toBe(`${2 * suites()} passed, 0 failed, 1 skipped`)
  const passed = 2 * suites()
  expect(run({ CI: 'true' })).toMatchObject({ status: 1, last: `${passed} passed, 1 failed` })
})
