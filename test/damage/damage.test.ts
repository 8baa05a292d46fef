import { describe, expect, test } from 'vitest'
import { journalPaths } from '../../src/journal/paths.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { type Damage, damages, targets } from './damages.ts'
import { blocksOf, intactIn } from './intact.ts'
import type { Original } from './original.ts'
import { setUp } from './setup.ts'
import { trial } from './trial.ts'

const shared = setUp()

test('the journals have several stores, with tables and logs in finished ones and in the newest', async () => {
  const { originals } = shared
  for (const { stores } of originals) {
    expect(stores.length).toBeGreaterThan(4)
    expect(new Set(stores.flatMap(({ finished, merged }) => (finished ? [merged === true] : []))).size).toBe(2)
  }
  for (const file of [/\.ldb$/, /\.log$/]) {
    const any = { title: '', file, apply: async () => {} }
    expect((await places(any, true)).length, `${file}`).toBe(originals.length)
    expect((await places(any, false)).length, `${file}`).toBeGreaterThan(1)
  }
})

interface Place {
  readonly original: Original
  readonly number: number
  /** Within the journal's folder. */
  readonly path: string
}

/** Every file that a damage may happen to, of the newest stores or of finished ones. */
async function places(damage: Damage, newest: boolean): Promise<Place[]> {
  const found: Place[] = []
  for (const original of shared.originals) {
    for (const { number, finished } of original.stores) {
      if ((finished === undefined) !== newest) continue
      for (const path of await targets(journalPaths(original.directory).store(number), damage)) {
        found.push({ original, number, path: path.slice(original.directory.length) })
      }
    }
  }
  return found
}

/** Damages one file of a store at each round. */
async function happens(damage: Damage, newest: boolean): Promise<void> {
  const { world } = shared
  const candidates = await places(damage, newest)
  await rounds(repeats(20), async (dice) => {
    const { original, number, path } = candidates[dice.int(0, candidates.length - 1)]!
    const blocks = await blocksOf(world, original, number)
    let intact: number[] = []
    const outcome = await trial(world, original, async (copy) => {
      await damage.apply(`${copy}${path}`, dice)
      intact = await intactIn(journalPaths(copy).store(number), blocks)
    })
    expect(
      intact.filter((position) => !outcome.kept.has(position)),
      `${path}: readable, and not salvaged`
    ).toEqual([])
    if (path.endsWith('.ldb')) {
      const named = outcome.seen.problems.map(({ store }) => store)
      expect(named, `${path}: a damaged table that verify does not name`).toContain(number)
    }
    // Only what was in the damaged store can be missing.
    const { firstPosition } = original.stores.find((store) => store.number === number)!
    const end = original.stores.find((store) => store.number > number)?.firstPosition ?? original.nextPosition
    expect(
      outcome.lost.filter((position) => position < firstPosition || position >= end),
      path
    ).toEqual([])
  })
}

describe.each(damages)('$title', (damage) => {
  test('in the newest store', () => happens(damage, true))
  test('in a finished store', () => happens(damage, false))
})
