import { readdir } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { realWorld } from '../../src/world/real.ts'
import { openJournal } from '../support/journals.ts'
import { ownDisk } from '../support/own-disk.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { Load } from './load.ts'

const own = ownDisk(48, 'test')

test('a data disk pulled under load, and plugged in again', { timeout: 300_000 }, async () => {
  const world = await realWorld()
  const directory = `${own.folder}/data`
  const journal = await openJournal(world, directory, { storeBytes: 200_000, disk: own.disk.path })
  const load = new Load(journal)
  const times: number[] = []
  try {
    await rounds(repeats(25), async (dice) => {
      expect(journal.disk).toEqual({ mount: own.disk.path, used: true, away: [] })
      await sleep(300 + dice.int(0, 1000))
      await own.disk.pull()
      times.push(await load.again())
      expect(journal.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_FAILED' })
      const { problems, away } = await journal.verify()
      expect(problems).toEqual([])
      expect(away.length).toBeGreaterThan(0)
      // Nothing of it is held open, or this would fail.
      await own.disk.unmount()
      await journal.lookForDisk()
      expect(journal.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_AWAY' })
      expect(await readdir(own.disk.path)).toEqual([])
      await own.disk.mountAgain()
      expect(await journal.lookForDisk()).toEqual({ mount: own.disk.path, used: true, away: [] })
      await load.again()
    })
  } finally {
    load.stop()
    await journal.close()
  }
  await load.expectWhole(world, directory)
  console.log(`pulled ${times.length} times: recording again after at most ${Math.round(Math.max(...times))} ms`)
})
