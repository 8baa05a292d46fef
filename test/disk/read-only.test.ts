import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { readCatalogue } from '../../src/journal/catalogue.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import { setUp } from '../damage/setup.ts'
import { contents, trial } from '../damage/trial.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'

const run = promisify(execFile)
const shared = setUp()

/** Opening writes to a store's folder. Where its permissions forbid that: see the damage suite. */
test.each([
  ['the newest store', true],
  ['a finished store', false]
])('%s lies on a file system that is read-only: it is left as it is, and nothing is lost', async (_, newest) => {
  const { world, originals } = shared
  await rounds(repeats(20), async (dice, round) => {
    const original = originals[round % originals.length]!
    const candidates = original.stores.filter(({ finished }) => (finished === undefined) === newest)
    const { number } = candidates[dice.int(0, candidates.length - 1)]!
    let store = ''
    let before = new Map<string, string>()
    try {
      const { lost, seen } = await trial(
        world,
        original,
        async (directory) => {
          store = journalPaths(directory).store(number)
          before = await contents(store)
          await run('mount', ['--bind', store, store])
          await run('mount', ['-o', 'remount,bind,ro', store])
        },
        async (directory) => {
          expect(await contents(store)).toEqual(before)
          const catalogue = await readCatalogue(world.files, journalPaths(directory).catalogue)
          expect(catalogue!.stores.filter(({ damaged }) => damaged)).toEqual([])
        }
      )
      expect(seen.problems).toEqual([])
      expect(lost).toEqual([])
    } finally {
      await run('umount', [store])
    }
  })
})
