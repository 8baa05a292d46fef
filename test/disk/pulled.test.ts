import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Journal } from '../../src/journal/journal.ts'
import { openSnapshot } from '../../src/journal/snapshot.ts'
import { realWorld } from '../../src/world/real.ts'
import { LoopDisk } from '../support/loop-disk.ts'
import { repeats } from '../support/scale.ts'
import { Load } from './load.ts'

let folder: string
let disk: LoopDisk

beforeEach(async () => {
  folder = await mkdtemp(`${tmpdir()}/understudy-disk-`)
  disk = await LoopDisk.make(`${folder}/usb`, 48)
})

afterEach(async () => {
  await disk?.remove()
  await rm(folder, { recursive: true, force: true })
})

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const options = {
  commitIntervalMs: 50,
  storeBytes: 200_000,
  storeAgeMs: 7 * 86_400_000,
  reserveBytes: 0,
  clockTrusted: true,
  version: '1.2.3'
}

test('a data disk pulled under load, and plugged in again', { timeout: 300_000 }, async () => {
  const world = await realWorld()
  const directory = `${folder}/data`
  const journal = await Journal.open(world, { ...options, directory, disk: disk.path }, quiet)
  const load = new Load(journal)
  const times: number[] = []
  try {
    for (let round = 0; round < repeats(25); round++) {
      expect(journal.disk).toEqual({ mount: disk.path, used: true, away: [] })
      await sleep(300 + Math.random() * 1000)
      await disk.pull()
      times.push(await load.again())
      expect(journal.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_FAILED' })
      const { problems, away } = await journal.verify()
      expect(problems).toEqual([])
      expect(away.length).toBeGreaterThan(0)
      // Nothing of it is held open, or this would fail.
      await disk.unmount()
      await journal.lookForDisk()
      expect(journal.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_AWAY' })
      expect(await readdir(disk.path)).toEqual([])
      await disk.mountAgain()
      expect(await journal.lookForDisk()).toEqual({ mount: disk.path, used: true, away: [] })
      await load.again()
    }
  } finally {
    load.stop()
    await journal.close()
  }
  const snapshot = await openSnapshot(world, directory)
  await load.expectWhole(snapshot)
  await snapshot.close()
  console.log(`pulled ${times.length} times: recording again after at most ${Math.round(Math.max(...times))} ms`)
})
