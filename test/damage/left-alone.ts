import { expect } from 'vitest'
import { readCatalogue } from '../../src/journal/catalogue.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import type { Shared } from './setup.ts'
import { contents, trial } from './trial.ts'

/** Of those that may not be written. Opening one writes to its folder. */
export const stores = ['the newest store', 'a finished store'] as const

/**
 * Again and again, a store that may not be written is left as it is, and nothing is lost.
 * @param forbid keeps everybody from writing to a store of the journal in `directory`, until `allow`
 */
export async function expectLeftAlone(
  { world, originals }: Shared,
  which: (typeof stores)[number],
  forbid: (store: string, directory: string) => Promise<void>,
  allow: (store: string) => Promise<void>
): Promise<void> {
  await rounds(repeats(20), async (dice, round) => {
    const original = originals[round % originals.length]!
    const candidates = original.stores.filter(
      ({ finished }) => (finished ? 'a finished store' : 'the newest store') === which
    )
    const { number } = candidates[dice.int(0, candidates.length - 1)]!
    let before = new Map<string, string>()
    let store = ''
    try {
      const { lost, seen } = await trial(
        world,
        original,
        async (directory) => {
          store = journalPaths(directory).store(number)
          before = await contents(store)
          await forbid(store, directory)
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
      await allow(store)
    }
  })
}
