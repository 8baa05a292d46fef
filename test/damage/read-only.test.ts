import { chmod, chown, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { readCatalogue } from '../../src/journal/catalogue.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { setUp } from './setup.ts'
import { contents, trial } from './trial.ts'

const shared = setUp()
const NOBODY = 65_534

/** Root may write everywhere: it becomes somebody else for a while. */
async function giveUpRights(directory: string): Promise<void> {
  if (process.getuid!() !== 0) return
  await chmod(dirname(directory), 0o755)
  await chown(directory, NOBODY, NOBODY)
  for (const { parentPath, name } of await readdir(directory, { recursive: true, withFileTypes: true })) {
    await chown(`${parentPath}/${name}`, NOBODY, NOBODY)
  }
  process.seteuid!(NOBODY)
}

function takeRights(): void {
  if (process.getuid!() === 0) process.seteuid!(0)
}

afterEach(takeRights)

/** Opening writes to a store's folder. */
test.each([
  ['the newest store', true],
  ['a finished store', false]
])('%s may not be written: it is left as it is, and nothing is lost', async (_, newest) => {
  const { world, originals } = shared
  await rounds(repeats(20), async (dice, round) => {
    const original = originals[round % originals.length]!
    const candidates = original.stores.filter(({ finished }) => (finished === undefined) === newest)
    const { number } = candidates[dice.int(0, candidates.length - 1)]!
    let before = new Map<string, string>()
    let store = ''
    const { lost, seen } = await trial(
      world,
      original,
      async (directory) => {
        store = journalPaths(directory).store(number)
        before = await contents(store)
        for (const name of await readdir(store)) await chmod(`${store}/${name}`, 0o444)
        await chmod(store, 0o555)
        await giveUpRights(directory)
      },
      async (directory) => {
        takeRights()
        await chmod(store, 0o755)
        expect(await contents(store)).toEqual(before)
        const catalogue = await readCatalogue(world.files, journalPaths(directory).catalogue)
        expect(catalogue!.stores.filter(({ damaged }) => damaged)).toEqual([])
      }
    )
    expect(seen.problems).toEqual([])
    expect(lost).toEqual([])
  })
})
