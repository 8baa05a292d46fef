import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'vitest'
import { expectLeftAlone, stores } from '../damage/left-alone.ts'
import { setUp } from '../damage/setup.ts'

const run = promisify(execFile)
const shared = setUp()

/** Where its permissions forbid that: see the damage suite. */
test.each(stores)(
  'a %s store lies on a file system that is read-only: it is left as it is, and nothing is lost',
  (which) =>
    expectLeftAlone(
      shared,
      which,
      async (store) => {
        await run('mount', ['--bind', store, store])
        await run('mount', ['-o', 'remount,bind,ro', store])
      },
      async (store) => {
        await run('umount', [store])
      }
    )
)
