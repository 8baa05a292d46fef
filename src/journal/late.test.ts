import { hash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { aMachine, directory, silent, told, writerOptions } from './fixtures.ts'
import { Journal } from './journal.ts'
import { journalPaths } from './paths.ts'
import type { Cursor } from './reading.ts'

/** What a reader passes over because it cannot be read comes later. */

const mount = '/media/usb'

let machine: Machine
let sent: string[]
let got: string[]

beforeEach(() => {
  machine = aMachine()
  sent = []
  got = []
})

const complete = <T>(work: Promise<T>): Promise<T> => machine.simulation.complete(work)

function open(disk: string | undefined): Promise<Journal> {
  return complete(Journal.open(machine.world, { ...writerOptions, storeBytes: 3000, disk }, silent))
}

async function record(journal: Journal, commits = 1): Promise<void> {
  for (let i = 0; i < 20 * commits; i++) {
    const text = `message ${sent.length} ${hash('sha256', String(sent.length))}`
    sent.push(text)
    journal.append(told('spin30', text))
    if (i % 20 === 19) await complete(journal.commit())
  }
}

/** Asks several times: what could not be read is asked for again each time. */
async function read(cursor: Cursor): Promise<void> {
  for (let i = 0; i < 10; i++) {
    for (const entry of await complete(cursor.next())) if (entry.kind === 'frame') got.push(entry.payload.toString())
  }
}

function expectAll(): void {
  expect(got).toHaveLength(sent.length)
  expect(new Set(got)).toEqual(new Set(sent))
}

test.each([undefined, mount])('what is salvaged after it was asked for again (disk: %s)', async (disk) => {
  machine.mount(mount)
  const journal = await open(disk)
  await record(journal, 6)
  await complete(journal.merged())
  await complete(journal.close())
  const { files } = machine.world
  const folder = disk ? `${mount}/${(await files.list(mount))[0]!.name}` : directory
  await files.writeFile(`${journalPaths(folder).store(2)}/CURRENT`, '')
  // It takes a while until the damage is in the catalogue.
  machine.disk.pace = { changeUs: [5_000, 5_000], syncUs: [500_000, 500_000] }
  const again = await open(disk)
  const cursor = again.cursor()
  await read(cursor)
  expect(got.length).toBeLessThan(sent.length)
  await complete(again.repaired())
  await read(cursor)
  expectAll()
})

test('stores side by side on disks that come back one after the other', async () => {
  const first = machine.mount(mount)
  const journal = await open(mount)
  await record(journal)
  machine.detach(mount)
  const second = machine.mount(mount)
  // There is nothing between what lies on the one and what lies on the other.
  await complete(journal.lookForDisk())
  await record(journal)
  machine.detach(mount)
  await record(journal)
  const cursor = journal.cursor({ position: 1 })
  await read(cursor)
  expect(got.length).toBeLessThan(sent.length)
  for (const disk of [first, second]) {
    machine.attach(mount, disk)
    await complete(journal.lookForDisk())
    await read(cursor)
    machine.detach(mount)
    await record(journal)
  }
  await read(cursor)
  for (const disk of [second, first]) {
    machine.attach(mount, disk)
    await complete(journal.lookForDisk())
    await read(cursor)
    machine.detach(mount)
  }
  expectAll()
})
