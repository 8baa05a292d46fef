import { hash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { systemError } from '../sim/world/system-error.ts'
import { aMachine, directory, silent, texts, told, writerOptions } from './fixtures.ts'
import { Journal } from './journal.ts'
import { journalPaths } from './paths.ts'
import { Series } from './series.ts'

/** What fails, or is asked for, between two steps that belong together. */

const mount = '/media/usb'

let machine: Machine
let sent: string[]

beforeEach(() => {
  machine = aMachine()
  sent = []
})

const complete = <T>(work: Promise<T>): Promise<T> => machine.simulation.complete(work)

function open(disk?: string): Promise<Journal> {
  return complete(Journal.open(machine.world, { ...writerOptions, storeBytes: 3000, disk }, silent))
}

async function record(journal: Journal, count = 20): Promise<void> {
  for (let i = 0; i < count; i++) {
    const text = `message ${sent.length} ${hash('sha256', String(sent.length))}`
    sent.push(text)
    journal.append(told('spin30', text))
  }
  await complete(journal.commit())
}

test('a catalogue that came onto the disk although its sync failed hides nothing that is acknowledged', async () => {
  const journal = await open()
  const { files } = machine.world
  const sync = files.syncDirectory.bind(files)
  let failed = 0
  files.syncDirectory = async (path) => {
    await sync(path)
    if (path === directory && failed++ === 0) throw systemError('EIO', 'fsync', path)
  }
  while (failed === 0) await record(journal, 5)
  for (let i = 0; i < 5; i++) await record(journal, 5)
  machine.cutPower()
  machine.boot()
  const again = await open()
  await complete(again.repaired())
  expect(await complete(texts(again.range({})))).toEqual(sent)
  expect((await complete(again.verify())).problems).toEqual([])
})

test('who looks for the disk while nothing can be committed does not keep the journal from closing', async () => {
  machine.mount(mount)
  const journal = await open(mount)
  await record(journal)
  machine.detach(mount)
  machine.disk.readOnly = true
  journal.append(told('spin30', 'it waits'))
  await machine.simulation.run(5000)
  expect(journal.failure).toBe('disk failed')
  expect(await complete(journal.lookForDisk())).toMatchObject({ used: false })
  await expect(complete(journal.close())).rejects.toThrow()
})

test('two looks at once take a disk into use once', async () => {
  machine.mount(mount).pace = { changeUs: [100, 2000], syncUs: [1000, 10_000] }
  await machine.world.files.makeDirectory(directory)
  const series = await Series.read(machine.world, directory, mount)
  await complete(Promise.all([series.lookForDisks(), series.lookForDisks()]))
  expect(await machine.world.files.list(mount)).toHaveLength(1)
  expect(series.knownDisks).toHaveLength(1)
})

test('a disk pulled between the two renames of a merging has lost nothing when it is back', async () => {
  const usb = machine.mount(mount)
  const journal = await open(mount)
  for (let i = 0; i < 3; i++) await record(journal)
  await complete(journal.merged())
  machine.detach(mount)
  await record(journal)
  machine.attach(mount, usb)
  const { files } = machine.world
  const [folder] = await files.list(mount)
  const store = journalPaths(`${mount}/${folder!.name}`).store(1)
  await files.remove(`${store}.old`)
  await files.rename(store, `${store}.old`)
  await complete(journal.lookForDisk())
  await complete(journal.repaired())
  expect(await complete(texts(journal.range({})))).toEqual(sent)
  expect((await complete(journal.verify())).problems).toEqual([])
})
