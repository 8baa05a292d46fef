import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { journalPaths } from '../../src/journal/paths.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'
import { repeats } from '../support/scale.ts'
import { type Damage, damages, targets } from './damages.ts'
import { blocksOf, intactIn } from './intact.ts'
import { type Original, record } from './original.ts'
import { trial } from './trial.ts'

let folder: string
let world: World
const originals: Original[] = []

beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/understudy-damage-`)
  world = await realWorld()
  originals.push(await record(world, `${folder}/closed`, false), await record(world, `${folder}/killed`, true))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('the journals have several stores, with tables and logs in finished ones and in the newest', async () => {
  for (const { stores } of originals) expect(stores.length).toBeGreaterThan(4)
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
  for (const original of originals) {
    for (const { number, finished } of original.stores) {
      if ((finished === undefined) !== newest) continue
      for (const path of await targets(journalPaths(original.directory).store(number), damage)) {
        found.push({ original, number, path: path.slice(original.directory.length) })
      }
    }
  }
  return found
}

/** Damages one file of a store at each round, and gives what it cost. */
async function rounds(damage: Damage, newest: boolean): Promise<void> {
  const candidates = await places(damage, newest)
  let lost = 0
  const count = repeats(20)
  for (let round = 0; round < count; round++) {
    const { original, number, path } = candidates[Math.floor(Math.random() * candidates.length)]!
    const blocks = await blocksOf(world, original, number)
    let intact: number[] = []
    const outcome = await trial(world, original, async (copy) => {
      await damage.apply(`${copy}${path}`, Math.random)
      intact = await intactIn(journalPaths(copy).store(number), blocks)
    }).catch((error: Error) => {
      error.message = `${path}: ${error.message}`
      throw error
    })
    expect(
      intact.filter((position) => !outcome.kept.has(position)),
      'readable, and not salvaged'
    ).toEqual([])
    // Only what was in the damaged store can be missing.
    const { firstPosition } = original.stores.find((store) => store.number === number)!
    const end = original.stores.find((store) => store.number > number)?.firstPosition ?? original.nextPosition
    expect(outcome.lost.filter((position) => position < firstPosition || position >= end)).toEqual([])
    lost += outcome.lost.length
  }
  console.log(`${damage.title}, ${newest ? 'newest store' : 'finished stores'}: ${count} times, ${lost} entries lost`)
}

describe.each(damages)('$title', (damage) => {
  test('in the newest store', () => rounds(damage, true))
  test('in a finished store', () => rounds(damage, false))
})
