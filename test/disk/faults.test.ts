import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readHead } from '../../src/journal/head.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import { realWorld } from '../../src/world/real.ts'
import { openJournal } from '../support/journals.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { FaultyDisk } from './faults.ts'
import { Load } from './load.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/understudy-disk-`)
})

afterEach(() => rm(directory, { recursive: true, force: true }))

/*
 * Device-mapper is not there, and a mounted file system with files open on it cannot be made read-only, nor its loop
 * device taken away: so a layer over the doors fails in their place (faults.ts).
 */
test.each([
  ['gone read-only and back', 'EROFS'],
  ['pulled and put back', 'EIO']
] as const)('a disk %s', { timeout: 300_000 }, async (_title, fault) => {
  const world = await realWorld()
  const disk = new FaultyDisk(world, directory)
  const times: number[] = []
  const journal = await openJournal(disk.world, directory, { storeBytes: 300_000 })
  const load = new Load(journal)
  try {
    await sleep(500)
    await rounds(repeats(25), async (dice) => {
      disk.fail(fault)
      expect(await load.stands(300 + dice.int(0, 1000))).toBe(true)
      disk.heal()
      times.push(await load.again())
      await journal.readers.commit('reader', { position: 1, skipped: [] }, [])
    })
    await load.again()
  } finally {
    disk.heal()
    load.stop()
    await journal.close()
  }
  const head = await readHead(world.files, journalPaths(directory).head)
  const nextPosition = await load.expectWhole(world, directory)
  expect(head).toMatchObject({ nextPosition, running: false })
  console.log(`${fault} ${times.length} times: recording again after at most ${Math.round(Math.max(...times))} ms`)
})
