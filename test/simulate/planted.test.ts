import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

/*
 * Bugs planted on purpose: each patch is applied to a copy of the program, and the lives of at most 200 seeds must find
 * it. One that does not apply any more is to be made anew from what the code has become. They begin at 101: among the
 * first hundred `heard-beyond-what-is-stored` is hidden by what else the head says of a disk that fails.
 */
const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const patches = (await readdir(join(root, 'test/simulate/planted'))).sort()

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-planted-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('there are at least five', () => {
  expect(patches.length).toBeGreaterThanOrEqual(5)
})

test.each(patches)('%s is found within 200 seeds', { timeout: 300_000 }, async (patch) => {
  const copy = join(folder, patch)
  for (const part of [
    'src',
    'test/simulate',
    'test/support',
    'comparison_graphs',
    'scripts/simulate.ts',
    'package.json'
  ]) {
    await cp(join(root, part), join(copy, part), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  await run('git', ['apply', '-C1', join(root, 'test/simulate/planted', patch)], { cwd: copy })
  const lives = run(process.execPath, ['scripts/simulate.ts', '--first', '101', '--seeds', '200', '--no-shrink'], {
    cwd: copy
  })
  const { code, stdout } = await lives.then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error) => error
  )
  expect(`${patch}: ${stdout.split('\n').at(-2)}`).toMatch(/[1-9]\d* broken/)
  expect(code).toBe(1)
})
