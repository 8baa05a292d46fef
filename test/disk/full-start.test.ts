import { open, readdir, rm, statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { journalPaths } from '../../src/journal/paths.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'
import { damages, targets } from '../damage/damages.ts'
import { type Original, readAll, record } from '../damage/original.ts'
import { copyOf } from '../damage/trial.ts'
import { fill } from '../support/fill.ts'
import { append, openJournal, silent } from '../support/journals.ts'
import { ownDisk } from '../support/own-disk.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'

/*
 * What needs room on a full disk: LevelDB replays its log when it opens, and its repair says that all is well when it
 * could not write what it read.
 */

const own = ownDisk(16, 'file')
let world: World
let original: Original

beforeAll(async () => {
  world = await realWorld()
  original = await record(world, `${own.disk.path}/data`, true)
})

const CHUNK_BYTES = 1 << 20

/** Leaves so many bytes free. Gives what frees them again. */
async function crowd(bytes: number): Promise<() => Promise<void>> {
  const path = `${own.disk.path}/other`
  const { bavail, bsize } = await statfs(own.disk.path)
  const file = await open(path, 'w')
  for (let left = bavail * bsize - bytes; left > 0; left -= CHUNK_BYTES) {
    if (!(await file.write(Buffer.alloc(Math.min(left, CHUNK_BYTES))).catch(() => undefined))) break
  }
  await file.sync()
  await file.close()
  return () => rm(path)
}

/** Opens it when there is room again: everything is there, and recording goes on. */
async function expectWhole(directory: string): Promise<void> {
  const journal = await openJournal(world, directory)
  try {
    const frame = append(journal, 'spin30', 1)
    expect(frame.position).toBeGreaterThanOrEqual(original.nextPosition)
    await journal.commit()
    await readAll(journal)
    await journal.repaired()
    const found = await readAll(journal)
    for (const [position, { payload }] of original.entries) {
      expect(found.get(position)?.payload.equals(payload), `position ${position}`).toBe(true)
    }
  } finally {
    await journal.close()
  }
}

test('a start on a full disk: it records, or says that there is no room; nothing is lost', {
  timeout: 600_000
}, async () => {
  let started = 0
  await rounds(repeats(40), async (dice) => {
    const directory = await copyOf(original)
    const free = await crowd(dice.chance(0.3) ? 0 : dice.int(0, 1_000_000))
    try {
      const journal = await openJournal(world, directory)
      started++
      await readAll(journal)
      await journal.repaired()
      await journal.close().catch(() => {})
    } catch (error) {
      expect((error as Error).message).toMatch(/UNDERSTUDY|no space left/i)
    } finally {
      await free()
    }
    await expectWhole(directory)
  })
  console.log(`${started} of ${repeats(40)} started on a disk that was full`)
})

test('a disk that fills up while a damaged store is salvaged', { timeout: 600_000 }, async () => {
  let prevented = 0
  const missing = damages.filter(({ title }) => ['CURRENT missing', 'MANIFEST gone', 'MANIFEST zeroed'].includes(title))
  await rounds(repeats(20), async (dice) => {
    const directory = await copyOf(original)
    const { number } = original.stores[dice.int(0, original.stores.length - 1)]!
    const damage = missing[dice.int(0, missing.length - 1)]!
    for (const path of await targets(journalPaths(directory).store(number), damage)) await damage.apply(path, dice)
    const filling = new AbortController()
    const errors: string[] = []
    const journal = await openJournal(world, directory, {}, { ...silent, error: (_, text) => void errors.push(text) })
    const reading = readAll(journal)
    await sleep(dice.int(0, 60))
    const filled = fill(`${own.disk.path}/other`, filling.signal)
    try {
      await reading
      await journal.repaired()
    } finally {
      filling.abort()
      await filled
      await journal.close()
    }
    if (errors.some((text) => text.includes('repaired') || text.includes('no room'))) prevented++
    await expectWhole(directory)
  })
  console.log(`${prevented} of ${repeats(20)} could not be salvaged until there was room again`)
})

test('a disk that is full just while LevelDB repairs, which says nothing of it', { timeout: 600_000 }, async () => {
  const { stores } = world
  const full: World = {
    ...world,
    stores: {
      ...stores,
      async repair(directory) {
        const free = await crowd(40_000)
        try {
          await stores.repair(directory)
        } finally {
          await free()
        }
      }
    }
  }
  await rounds(repeats(20), async (dice) => {
    const directory = await copyOf(original)
    const { number } = original.stores[dice.int(0, original.stores.length - 1)]!
    const store = journalPaths(directory).store(number)
    const [manifest] = (await readdir(store)).filter((name) => name.startsWith('MANIFEST'))
    await rm(`${store}/${manifest}`)
    const journal = await openJournal(full, directory)
    await readAll(journal)
    await journal.repaired()
    await journal.close()
    await expectWhole(directory)
  })
})
