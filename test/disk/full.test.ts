import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { realWorld } from '../../src/world/real.ts'
import { fill } from '../support/fill.ts'
import { openJournal } from '../support/journals.ts'
import { ownDisk } from '../support/own-disk.ts'
import { repeats } from '../support/scale.ts'
import { Load } from './load.ts'

const own = ownDisk(48, 'test')

test('a disk filled to the last byte, and freed again', { timeout: 300_000 }, async () => {
  const world = await realWorld()
  const directory = `${own.disk.path}/data`
  const times: number[] = []
  const journal = await openJournal(world, directory, { storeBytes: 1e6, reserveBytes: 1e6 })
  const load = new Load(journal)
  try {
    await sleep(500)
    for (let round = 0; round < repeats(20); round++) {
      const filling = new AbortController()
      const filled = fill(`${own.disk.path}/other`, filling.signal)
      while (!(await load.stands(500))) expect(load.frames.length).toBeLessThan(100_000)
      await sleep(1000)
      filling.abort()
      await filled
      times.push(await load.again())
    }
  } finally {
    load.stop()
    await journal.close()
  }
  await load.expectWhole(world, directory)
  console.log(`full ${times.length} times: recording again after at most ${Math.round(Math.max(...times))} ms`)
})
