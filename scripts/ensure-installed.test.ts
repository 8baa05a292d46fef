import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

let root: string
let env: NodeJS.ProcessEnv
let script: string
const calls = (): string[] => readFileSync(join(root, 'calls'), 'utf8').trim().split('\n')

/** A project with a stand-in for npm, which notes how it was called. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'understudy-install-'))
  for (const directory of ['scripts', 'tools', 'node_modules/.bin'])
    mkdirSync(join(root, directory), { recursive: true })
  script = join(root, 'scripts/ensure-installed.mjs')
  cpSync(join(import.meta.dirname, 'ensure-installed.mjs'), script)
  writeFileSync(join(root, 'package.json'), '{"type":"module","dependencies":{"a":"1"}}')
  writeFileSync(join(root, 'package-lock.json'), '{}')
  npm('')
  // The one under node_modules must not be found.
  writeFileSync(join(root, 'node_modules/.bin/npm'), '#!/bin/sh\nexit 99\n', { mode: 0o755 })
  env = { PATH: `${root}/node_modules/.bin:${root}/tools:/usr/bin:/bin` }
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function npm(line: string): void {
  writeFileSync(join(root, 'tools/npm'), `#!/bin/sh\necho "$@" >>${root}/calls\n${line}\n`)
  chmodSync(join(root, 'tools/npm'), 0o755)
}

function ensure(): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [script], { env, encoding: 'utf8' })
}

test('installs once, with the development packages, and says so on stderr only', () => {
  const first = ensure()
  expect(first.status).toBe(0)
  expect(first.stdout).toBe('')
  expect(first.stderr).toMatch(/^understudy: installing .*\n$/)
  expect(calls()).toEqual([expect.stringMatching(/^ci --include=dev /)])

  expect(ensure()).toMatchObject({ status: 0, stdout: '', stderr: '' })
  expect(calls()).toHaveLength(1)
})

test('installs again when a dependency or the lock file changes, not for another script', () => {
  ensure()
  writeFileSync(join(root, 'package.json'), '{"type":"module","scripts":{"x":"y"},"dependencies":{"a":"1"}}')
  ensure()
  expect(calls()).toHaveLength(1)
  writeFileSync(join(root, 'package.json'), '{"type":"module","dependencies":{"a":"2"}}')
  ensure()
  expect(calls()).toHaveLength(2)
  writeFileSync(join(root, 'package-lock.json'), '{"x":1}')
  ensure()
  expect(calls()).toHaveLength(3)
})

test("passes on npm's failure and tries again the next time", () => {
  npm('echo no network >&2; exit 7')
  const failed = ensure()
  expect(failed.status).toBe(7)
  expect(failed.stderr).toContain('no network')
  expect(failed.stderr).toContain('npm ci ended with 7')
  expect(existsSync(join(root, '.install.lock'))).toBe(false)
  ensure()
  expect(calls()).toHaveLength(2)
})

test('says what to do when there is no npm', () => {
  rmSync(join(root, 'tools/npm'))
  env['PATH'] = join(root, 'node_modules/.bin')
  expect(ensure()).toMatchObject({ status: 1, stderr: expect.stringContaining('npm was not found') })
})

test('two at once install once', async () => {
  npm('sleep 0.5')
  const both = [0, 1].map(() => spawn(process.execPath, [script], { env }))
  const codes = await Promise.all(both.map(async (child) => (await once(child, 'exit'))[0]))
  expect(codes).toEqual([0, 0])
  expect(calls()).toHaveLength(1)
})

test('takes over the lock of a process that died', () => {
  const { pid } = spawnSync('/bin/true')
  writeFileSync(join(root, '.install.lock'), String(pid))
  expect(ensure().status).toBe(0)
  expect(calls()).toHaveLength(1)
  expect(existsSync(join(root, '.install.lock'))).toBe(false)
})
