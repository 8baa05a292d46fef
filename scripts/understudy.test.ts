import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UnderstudyError } from '../src/errors.ts'

const executable = join(import.meta.dirname, '../bin/understudy.js')

test('an older Node gets one line and exit code 2', () => {
  const older = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.20.2"})'
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', older, executable, 'run'], {
    encoding: 'utf8'
  })
  const { exitCode, code, remedy } = new UnderstudyError('UNDERSTUDY_NODE_TOO_OLD')
  expect(status).toBe(exitCode)
  expect(stdout).toBe('')
  expect(stderr).toMatch(/^understudy: .*\n$/)
  expect(stderr).toContain(code)
  expect(stderr).toContain(remedy)
})
