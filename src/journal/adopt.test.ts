import { hash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Disk } from '../sim/world/disk.ts'
import type { Machine } from '../sim/world/machine.ts'
import { readCatalogue, writeCatalogue } from './catalogue.ts'
import { findDisk } from './disks.ts'
import type { Frame } from './entry.ts'
import { aMachine, directory, silent, texts, told, writerOptions } from './fixtures.ts'
import { readHead } from './head.ts'
import { Journal, type JournalOptions } from './journal.ts'
import { journalPaths } from './paths.ts'

/** A data folder without a journal goes on with the one on its data disk. */

const mount = '/media/usb'
const SECOND = 1000

let machine: Machine
let usb: Disk
let cards: number
/** What was appended, in order. */
let sent: string[]

beforeEach(() => {
  machine = aMachine()
  usb = machine.mount(mount)
  cards = 1
  sent = []
})

const complete = <T>(work: Promise<T>): Promise<T> => machine.simulation.complete(work)

function open(options: Partial<JournalOptions> = {}): Promise<Journal> {
  return complete(Journal.open(machine.world, { ...writerOptions, disk: mount, ...options }, silent))
}

async function kept(journal: Journal, count = 5): Promise<void> {
  for (let i = 0; i < count; i++) {
    const text = `message ${sent.length} ${hash('sha256', String(sent.length))}`
    sent.push(text)
    journal.append(told('spin30', text))
  }
  await complete(journal.commit())
}

/** Puts the disk into a machine with an empty card. @returns the former one, which is off */
function newCard(): Machine {
  const former = machine
  former.cutPower()
  former.detach(mount)
  machine = former.simulation.machine(`pi ${++cards}`)
  machine.attach(mount, usb)
  return former
}

/** The journal's folder on the disk. */
async function folder(): Promise<string> {
  const disk = await complete(findDisk(machine.world.files, mount))
  return disk!.folder
}

async function expectWhole(journal: Journal, expected = sent): Promise<void> {
  expect(await complete(texts(journal.range({})))).toEqual(expected)
  expect(await complete(journal.verify())).toMatchObject({ problems: [], away: [] })
  for (const { fromUs, toUs, heardUs, rest } of await complete(journal.coverage())) {
    expect(heardUs + rest.reduce((sum, gap) => sum + gap.toUs - gap.fromUs, 0)).toBe(toUs - fromUs)
  }
}

async function seqs(journal: Journal): Promise<number[]> {
  const found: number[] = []
  for await (const frames of journal.range({})) found.push(...frames.map(({ seq }: Frame) => seq))
  return found
}

test.each(['after a clean end', 'after a cut'])('a new card goes on with the journal on the disk, %s', async (how) => {
  const first = await open({ storeBytes: 3000 })
  first.hearing.added('spin30')
  first.hearing.heard('spin30')
  for (let i = 0; i < 6; i++) await kept(first, 20)
  await complete(first.confirm(50))
  const { nextPosition } = first
  const before = await folder()
  if (how === 'after a clean end') await complete(first.close())
  newCard()
  const second = await open({ storeBytes: 3000 })
  expect(second.disk).toEqual({ mount, used: true, away: [] })
  await kept(second)
  expect(second.firstPosition).toBe(1)
  expect(second.nextPosition).toBeGreaterThan(nextPosition + 1e10)
  expect(second.adoptedBelow).toBeGreaterThan(nextPosition)
  await expectWhole(second)
  const numbers = await complete(seqs(second))
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  expect(await folder()).not.toBe(before)
  await complete(second.close())
  const catalogue = await complete(readCatalogue(machine.world.files, journalPaths(directory).catalogue))
  expect(catalogue).toMatchObject({ confirmed: 50 })
  expect(catalogue).not.toHaveProperty('copyOn')
  const third = await open({ storeBytes: 3000 })
  await kept(third)
  await expectWhole(third)
})

test('a stream was heard until the disk was last told so, and what follows is a gap with its cause', async () => {
  const first = await open()
  first.hearing.added('spin30')
  first.hearing.heard('spin30')
  await kept(first)
  for (let second = 0; second < 60; second++) {
    await machine.simulation.run(SECOND)
    first.hearing.proof('spin30')
  }
  newCard()
  await machine.simulation.run(30 * SECOND)
  const second = await open()
  const [coverage] = await complete(second.coverage())
  expect(coverage!.heardUs).toBeGreaterThanOrEqual(49_000_000)
  expect(coverage!.rest.map(({ cause }) => cause)).toContain('host rebooted')
})

test('readers begin anew, at the first position that is there', async () => {
  const first = await open()
  await kept(first)
  const journal = first.readers
  await complete(journal.commit('graphs', { position: 4 }, []))
  newCard()
  const second = await open()
  expect(second.readers.place('graphs')).toBeUndefined()
  const entries = await complete(second.cursor().next())
  expect(entries.flatMap((entry) => (entry.kind === 'frame' ? [entry.payload.toString()] : []))).toEqual(sent)
})

test('what lay on the card is a gap, not kept, and its positions are used by nobody', async () => {
  machine.detach(mount)
  const first = await open({ storeBytes: 1e9 })
  first.hearing.added('spin30')
  first.hearing.heard('spin30')
  await kept(first, 10)
  await machine.simulation.run(5 * SECOND)
  machine.attach(mount, usb)
  await complete(first.lookForDisk())
  first.hearing.proof('spin30')
  await kept(first, 10)
  await machine.simulation.run(5 * SECOND)
  machine.detach(mount)
  await kept(first, 10)
  await machine.simulation.run(5 * SECOND)
  machine.attach(mount, usb)
  await complete(first.lookForDisk())
  await kept(first, 10)
  await machine.simulation.run(20 * SECOND)
  newCard()
  const second = await open()
  await kept(second)
  const there = [...sent.slice(10, 20), ...sent.slice(30)]
  await expectWhole(second, there)
  const [coverage] = await complete(second.coverage())
  expect(coverage!.rest.filter(({ cause }) => cause === 'not kept').length).toBeGreaterThanOrEqual(1)
  expect(second.disk.away).toEqual([])
})

test('a card that went on without the disk used no position that the next one uses', async () => {
  const first = await open()
  await kept(first)
  machine.detach(mount)
  await kept(first, 50)
  const { nextPosition } = first
  machine.attach(mount, usb)
  newCard()
  const second = await open()
  await kept(second)
  await expectWhole(second, [...sent.slice(0, 5), ...sent.slice(55)])
  const { firstPosition } = (await complete(
    readCatalogue(machine.world.files, `${await folder()}/catalogue`)
  ))!.stores.at(-1)!
  expect(firstPosition).toBeGreaterThan(nextPosition)
})

test('the former card, put back, writes to none of the stores that were gone on with', async () => {
  const first = await open()
  await kept(first)
  await complete(first.close())
  const former = newCard()
  const second = await open()
  await kept(second)
  await complete(second.close())
  const expected = [...sent]
  const later = machine
  later.cutPower()
  later.detach(mount)
  machine = former
  machine.boot()
  machine.attach(mount, usb)
  const again = await open()
  expect(again.disk).toMatchObject({ used: true, code: 'UNDERSTUDY_DISK_OTHER', away: [{ store: 1 }] })
  await kept(again)
  await complete(again.close())
  machine.cutPower()
  machine.detach(mount)
  machine = later
  machine.boot()
  machine.attach(mount, usb)
  await expectWhole(await open(), expected)
})

test.each([
  ['the catalogue is damaged', 'catalogue'],
  ['the catalogue is gone', 'no catalogue'],
  ['the head is gone', 'no head'],
  ['the head is damaged', 'head'],
  ['neither is there', 'neither']
])('what the stores hold is gone on with where, of the copies, %s', async (_, what) => {
  const first = await open({ storeBytes: 3000 })
  for (let i = 0; i < 6; i++) await kept(first, 20)
  machine.detach(mount)
  await kept(first, 10)
  machine.attach(mount, usb)
  await complete(first.lookForDisk())
  for (let i = 0; i < 3; i++) await kept(first, 20)
  await complete(first.close())
  newCard()
  const { files } = machine.world
  const { catalogue, head } = journalPaths(await folder())
  if (what === 'catalogue') await files.writeFile(catalogue, 'understudy-catalogue 1 9 00\n{}\n')
  if (what === 'head') await files.writeFile(head, Buffer.alloc(131_072))
  if (what === 'no catalogue' || what === 'neither') await files.remove(catalogue)
  if (what === 'no head' || what === 'neither') await files.remove(head)
  const second = await open({ storeBytes: 3000 })
  await complete(second.repaired())
  await kept(second)
  await expectWhole(second, [...sent.slice(0, 120), ...sent.slice(130)])
  const numbers = await complete(seqs(second))
  expect(new Set(numbers).size).toBe(numbers.length)
  await complete(second.close())
  await expectWhole(await open({ storeBytes: 3000 }), [...sent.slice(0, 120), ...sent.slice(130)])
})

test('a damaged store on the disk is salvaged, and recording goes on', async () => {
  const first = await open({ storeBytes: 3000 })
  for (let i = 0; i < 6; i++) await kept(first, 20)
  await complete(first.close())
  newCard()
  const { files } = machine.world
  const path = `${journalPaths(await folder()).stores}/000001`
  for (const { name } of await files.list(path)) {
    if (!/\.(ldb|log)$/.test(name)) continue
    const content = await files.readFile(`${path}/${name}`)
    await files.writeFile(`${path}/${name}`, content.subarray(0, content.length / 2))
  }
  const second = await open({ storeBytes: 3000 })
  await kept(second)
  await complete(second.repair())
  const found = await complete(texts(second.range({})))
  expect(found).toEqual(sent.filter((text) => found.includes(text)))
  expect(found.slice(-60)).toEqual(sent.slice(-60))
  expect(found.length).toBeLessThan(sent.length)
  const { problems, away } = await complete(second.verify())
  expect(problems.map(({ kind, store }) => `${kind} ${store}`)).toEqual(['missing 1'])
  expect(away).toEqual([])
})

test('a catalogue that does not know of all the stores there is not believed', async () => {
  const first = await open({ storeBytes: 3000 })
  for (let i = 0; i < 3; i++) await kept(first, 20)
  const path = journalPaths(await folder()).catalogue
  const old = await machine.world.files.readFile(path)
  for (let i = 0; i < 3; i++) await kept(first, 20)
  await complete(first.close())
  await machine.world.files.writeFile(path, old)
  newCard()
  const second = await open()
  await kept(second)
  await expectWhole(second)
})

/** A disk on which another begins beside what is there. */
async function expectLeft(code: string, leaves: () => Promise<void>, adopts = true): Promise<void> {
  const first = await open()
  await kept(first)
  await complete(first.close())
  newCard()
  await leaves()
  const before = (await machine.world.files.list(mount)).map(({ name }) => name)
  sent = []
  const fresh = await open({ adopts })
  expect(fresh.disk).toEqual({ mount, used: true, code, detail: mount, away: [] })
  await kept(fresh)
  await expectWhole(fresh)
  const after = (await machine.world.files.list(mount)).map(({ name }) => name)
  expect(after).toHaveLength(before.length + 1)
  expect(after).toEqual(expect.arrayContaining(before))
  await complete(fresh.close())
  expect((await open()).disk).toEqual({ mount, used: true, away: [] })
}

test('of two journals on a disk none is taken, and that is told of', () =>
  expectLeft('UNDERSTUDY_DISK_NOT_OURS', async () => {
    const { files } = machine.world
    await files.makeDirectory(`${mount}/understudy-0123456789abcdef/stores/000001`, 0o750)
  }))

test('a command that is no recorder takes none: another may be at work with it', () =>
  expectLeft('UNDERSTUDY_DISK_NOT_OURS', async () => {}, false))

test('a journal under a name that is none of ours is not taken', () =>
  expectLeft('UNDERSTUDY_DISK_NOT_OURS', async () =>
    machine.world.files.rename(await folder(), `${mount}/understudy-old`)
  ))

test('a journal that a newer release has written is left as it is', () =>
  expectLeft('UNDERSTUDY_DISK_NOT_OURS', async () => {
    const { files } = machine.world
    const path = journalPaths(await folder()).catalogue
    const [, json = ''] = (await files.readFile(path)).toString().split('\n')
    const digest = hash('sha256', `2 77\n${json}`)
    await files.writeFile(path, `understudy-catalogue 2 77 ${digest}\n${json}\n`)
  }))

test('a data folder with a journal of its own takes none', async () => {
  const first = await open()
  await kept(first)
  await complete(first.close())
  newCard()
  machine.detach(mount)
  const own = await open()
  sent = []
  await kept(own)
  await complete(own.close())
  machine.attach(mount, usb)
  const again = await open()
  expect(again.disk).toMatchObject({ used: true, code: 'UNDERSTUDY_DISK_NOT_OURS' })
  await expectWhole(again)
})

test('a disk that cannot be written is not taken from, and recording begins on the card', async () => {
  const first = await open()
  await kept(first)
  await complete(first.close())
  newCard()
  usb.readOnly = true
  sent = []
  const fresh = await open()
  await kept(fresh)
  expect(fresh.disk).toMatchObject({ used: false, code: 'UNDERSTUDY_DISK_FAILED' })
  await expectWhole(fresh)
})

test('the copy on the disk follows the catalogue, and its head never tells of more than it', async () => {
  const journal = await open({ storeBytes: 3000 })
  for (let i = 0; i < 4; i++) {
    await kept(journal, 20)
    await machine.simulation.run(15 * SECOND)
    const { files } = machine.world
    const own = await complete(readCatalogue(files, journalPaths(directory).catalogue))
    const copy = await complete(readCatalogue(files, journalPaths(await folder()).catalogue))
    expect(copy).toEqual({ ...own, copyOn: own!.disks![0]!.id })
    const head = await complete(readHead(files, journalPaths(await folder()).head))
    expect(head!.nextPosition).toBeLessThanOrEqual(journal.nextPosition)
    expect(head!.nextPosition).toBeGreaterThanOrEqual(own!.stores.at(-1)!.firstPosition)
  }
})

test('a catalogue without the mark of a copy is not taken for one', async () => {
  const first = await open()
  await kept(first)
  await complete(first.close())
  newCard()
  const { files } = machine.world
  await complete(
    writeCatalogue(files, journalPaths(await folder()).catalogue, { reserved: { position: 1, seq: 1 }, stores: [] })
  )
  const second = await open()
  await kept(second)
  await expectWhole(second)
})
