import { expect, test } from 'vitest'
import type { Log } from '../log.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { temporaryDirectory } from '../world/real/fixtures.ts'
import { realWorld } from '../world/real.ts'
import { type Catalogue, readCatalogue } from './catalogue.ts'
import type { JournalEvent } from './entry.ts'
import { directory, openJournal, silent, told, writerOptions } from './fixtures.ts'
import { folderBytes } from './folder-bytes.ts'
import { readHead } from './head.ts'
import { Journal } from './journal.ts'
import { journalPaths } from './paths.ts'
import type { RetentionLimits } from './retention.ts'
import { Series } from './series.ts'
import { openSnapshot } from './snapshot.ts'
import { verifySeries } from './verify.ts'

const paths = journalPaths(directory)
const STORE_BYTES = 100_000
const none: RetentionLimits = { minFreeBytes: 0 }

function aPi(seed = 1, diskBytes = 16e9): Machine {
  return new Simulation(seed).machine('pi', { diskBytes })
}

function open({ world }: Pick<Machine, 'world'>, retention: RetentionLimits, log: Log = silent): Promise<Journal> {
  return Journal.open(world, { ...writerOptions, clockTrusted: true, storeBytes: STORE_BYTES, retention }, log)
}

/** Frames that do not compress, a commit each, until so many bytes are there. */
async function fill({ simulation, world }: Machine, journal: Journal, bytes: number, each = 10_000): Promise<void> {
  for (let filled = 0; filled < bytes; filled += each) {
    journal.append({ ...told('spin30', ''), payload: world.random.bytes(each) })
    await simulation.complete(journal.commit())
    await simulation.run(1_000)
  }
}

type Removed = Extract<JournalEvent, { event: 'removed' }>

async function removals({ simulation }: Machine, journal: Journal): Promise<Removed[]> {
  await simulation.complete(journal.commit())
  const cursor = journal.cursor()
  const found: Removed[] = []
  for (let entries = await cursor.next(); entries.length > 0; entries = await cursor.next()) {
    for (const entry of entries) if (entry.kind === 'event' && entry.event.event === 'removed') found.push(entry.event)
  }
  return found
}

async function catalogueOf({ world }: Machine): Promise<Catalogue> {
  return (await readCatalogue(world.files, paths.catalogue))!
}

function loud(): { log: Log; told: Array<[string, Record<string, unknown>, string]> } {
  const lines: Array<[string, Record<string, unknown>, string]> = []
  const line =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push([level, fields as Record<string, unknown>, message])
    }
  return { log: { debug() {}, info: line('info'), warn: line('warn'), error: line('error') }, told: lines }
}

test('ten times what the disk holds never fills it, and the newest is there', async () => {
  const pi = aPi(1, 3e6)
  const { simulation, disk } = pi
  const { log, told } = loud()
  const journal = await open(pi, { minFreeBytes: 1e6 }, log)
  let least = disk.capacityBytes
  for (let step = 0; step < 30; step++) {
    await fill(pi, journal, 1e6)
    least = Math.min(least, disk.freeBytes)
  }
  expect(told.filter(([level]) => level === 'error')).toEqual([])
  expect(least).toBeGreaterThan(500_000)
  const report = await simulation.complete(journal.verify())
  expect(report.problems).toEqual([])
  expect(report.payloadBytes).toBeGreaterThan(500_000)
  const removed = await removals(pi, journal)
  expect(removed.length).toBeGreaterThan(0)
  expect(removed.every(({ reason, confirmed }) => reason === 'min_free' && !confirmed)).toBe(true)
  expect(told.filter(([level, { what }]) => level === 'warn' && what === 'store').length).toBeGreaterThan(200)
  await simulation.complete(journal.close())
})

test('max_size holds, each removal is on record once, and no removal is owed', async () => {
  const pi = aPi()
  const { simulation, world } = pi
  const journal = await open(pi, { minFreeBytes: 0, maxBytes: 500_000 })
  for (let step = 0; step < 10; step++) {
    await fill(pi, journal, 300_000)
    let bytes = 0
    for (const { name } of await world.files.list(paths.stores)) {
      bytes += await folderBytes(world.files, `${paths.stores}/${name}`)
    }
    expect(bytes).toBeLessThan(500_000 + 2 * STORE_BYTES)
  }
  await simulation.run(120_000)
  const removed = await removals(pi, journal)
  expect(new Set(removed.map(({ store }) => store)).size).toBe(removed.length)
  expect((await catalogueOf(pi)).removals).toEqual([])
  expect(journal.firstPosition).toBe(removed.at(-1)!.toPosition)
  await expect(journal.cursor({ position: 1 }).next()).rejects.toMatchObject({ code: 'UNDERSTUDY_CURSOR_TOO_OLD' })
  await simulation.complete(journal.close())
})

test('age removes only what is confirmed and what no reader needs', async () => {
  const pi = aPi()
  const { simulation } = pi
  const journal = await open(pi, { minFreeBytes: 0, maxAgeMs: 3_600_000 })
  await fill(pi, journal, 1e6)
  await simulation.run(2 * 3_600_000)
  expect((await catalogueOf(pi)).stores[0]!.number).toBe(1)
  const { stores } = await catalogueOf(pi)
  await journal.readers.commit('counting', { position: stores[2]!.firstPosition }, [])
  await journal.confirm(stores[5]!.firstPosition)
  await simulation.run(120_000)
  expect((await catalogueOf(pi)).stores[0]!.number).toBe(3)
  await journal.readers.commit('counting', { position: journal.nextPosition }, [])
  await simulation.run(120_000)
  expect((await catalogueOf(pi)).stores[0]!.number).toBe(6)
  const removed = await removals(pi, journal)
  expect(removed.every(({ confirmed, pinned, reason }) => confirmed && !pinned && reason === 'max_age')).toBe(true)
  await simulation.complete(journal.close())
})

test('what is due is erased by whole stores, confirmed or not, and announced before; the newest is left', async () => {
  const pi = aPi()
  const { simulation } = pi
  const { log, told } = loud()
  const ageUs = 40 * 86_400_000_000
  const journal = await open(pi, { minFreeBytes: 0, eraseBefore: (nowUs) => nowUs - ageUs }, log)
  await journal.readers.commit('counting', { position: 1 }, [])
  await fill(pi, journal, 300_000)
  const { stores } = await catalogueOf(pi)
  const said = (words: string): unknown[] =>
    told.flatMap(([level, fields, text]) => (level === 'warn' && text.includes(words) ? [fields['store']] : []))
  await simulation.run(9 * 86_400_000)
  expect(said('erase')).toEqual([])
  await simulation.run(2 * 86_400_000)
  const finished = stores.slice(0, -1).map(({ number }) => number)
  expect(said('is going to be erased')).toEqual(finished)
  expect((await catalogueOf(pi)).stores.length).toBe(stores.length)
  await simulation.run(30 * 86_400_000)
  const removed = await removals(pi, journal)
  expect(removed.map(({ store, reason, confirmed }) => [store, reason, confirmed])).toEqual(
    finished.map((store) => [store, 'erase_after', false])
  )
  expect(said('was erased')).toEqual(finished)
  // It was the newest, and what came then is not due.
  expect((await catalogueOf(pi)).stores[0]!.number).toBe(stores.at(-1)!.number)
  expect(said('is left for now')).toContain(stores.at(-1)!.number)
  await simulation.complete(journal.close())
}, 60_000)

test('a reader unseen for 30 days pins nothing any more, with a warning', async () => {
  const pi = aPi()
  const { simulation } = pi
  const { log, told } = loud()
  const journal = await open(pi, { minFreeBytes: 0, maxAgeMs: 3_600_000 }, log)
  await journal.readers.commit('gone', { position: 1 }, [['much', Buffer.alloc(1000)]])
  await journal.readers.commit('there', { position: Number.MAX_SAFE_INTEGER }, [])
  await fill(pi, journal, 300_000)
  await journal.confirm(journal.nextPosition)
  const days = async (count: number): Promise<void> => {
    await simulation.run(count * 86_400_000)
    await journal.readers.commit('there', { position: Number.MAX_SAFE_INTEGER }, [])
  }
  await days(29)
  expect((await catalogueOf(pi)).stores[0]!.number).toBe(1)
  await days(2)
  expect((await catalogueOf(pi)).stores.length).toBeLessThan(3)
  const forgotten = told.filter(([level, { reader }]) => level === 'warn' && reader)
  expect(forgotten.map(([, { reader }]) => reader)).toEqual(['gone'])
  await simulation.complete(journal.close())
}, 60_000)

test('a reader that was last seen while the clock stood at 1970 is not taken for one that is gone', async () => {
  const pi = aPi()
  const { simulation } = pi
  pi.clock.setSynchronised(false)
  pi.clock.setWall(0)
  const journal = await open(pi, { minFreeBytes: 0, maxAgeMs: 3_600_000 })
  await journal.readers.commit('slow', { position: 1 }, [])
  pi.clock.setWall(simulation.trueWallUs)
  pi.clock.setSynchronised(true)
  await fill(pi, journal, 300_000)
  await journal.confirm(journal.nextPosition)
  await simulation.run(2 * 86_400_000)
  expect((await catalogueOf(pi)).stores[0]!.number).toBe(1)
  await journal.readers.commit('slow', { position: journal.nextPosition }, [])
  await simulation.run(120_000)
  expect((await catalogueOf(pi)).stores[0]!.number).toBeGreaterThan(1)
  await simulation.complete(journal.close())
}, 60_000)

test('a full disk takes what is elsewhere first, then what was set aside, then the oldest; the newest never', async () => {
  const pi = aPi()
  const { simulation, world, disk } = pi
  const { log, told } = loud()
  let journal = await open(pi, none)
  await fill(pi, journal, 1e6)
  await simulation.complete(journal.merged())
  await simulation.complete(journal.close())
  // A damaged store, salvaged.
  const damaged = (await catalogueOf(pi)).stores[4]!
  await world.files.remove(`${paths.store(damaged.number)}/CURRENT`)
  journal = await open(pi, { minFreeBytes: 2e6 }, log)
  await simulation.complete(journal.repair())
  const { stores } = await catalogueOf(pi)
  expect(stores[4]).toMatchObject({ damaged: { salvaged: true } })
  await journal.confirm(stores[2]!.firstPosition)
  const offered = [1, 2].map((number) => ({
    name: `sealed ${number}`,
    bytes: 10,
    before: 1,
    remove: async () => void offered.shift()
  }))
  const unconfirmed = [{ ...offered[0]!, name: 'only here', before: stores[3]!.firstPosition }]
  unconfirmed[0]!.remove = async () => void unconfirmed.pop()
  journal.offerRemovable(async (confirmed) => (confirmed ? offered : unconfirmed)[0])
  disk.capacityBytes -= disk.freeBytes - 100_000
  await simulation.run(120_000)
  const removed = await removals(pi, journal)
  expect(told.flatMap(([, { name }]) => (name ? [name] : []))).toEqual(['sealed 1', 'sealed 2', 'only here'])
  expect(removed.slice(0, 4)).toMatchObject([
    { what: 'store', store: 1, confirmed: true, pinned: false },
    { what: 'store', store: 2, confirmed: true },
    { what: 'set aside', store: damaged.number },
    { what: 'store', store: 3, confirmed: false }
  ])
  const left = await catalogueOf(pi)
  expect(left.stores.map(({ number }) => number)).toEqual([stores.at(-1)!.number])
  expect((await world.files.list(paths.aside)).length).toBe(0)
  await simulation.complete(journal.close())
})

test('max_size counts all that was set aside of a store that is damaged again', async () => {
  const pi = aPi()
  const { simulation, world } = pi
  let journal = await open(pi, none)
  await fill(pi, journal, 1e6)
  await simulation.complete(journal.merged())
  await simulation.complete(journal.close())
  const bytes = async (): Promise<number> =>
    (await folderBytes(world.files, paths.stores)) + (await folderBytes(world.files, paths.aside))
  const { number } = (await catalogueOf(pi)).stores[4]!
  const spoil = (): Promise<void> => world.files.remove(`${paths.store(number)}/CURRENT`)
  // Room for what is set aside once, not for what is set aside twice.
  const maxBytes = (await bytes()) + 150_000
  await spoil()
  journal = await open(pi, { minFreeBytes: 0, maxBytes })
  await simulation.complete(journal.repair(number))
  await simulation.run(120_000)
  expect(await removals(pi, journal)).toEqual([])
  await spoil()
  await simulation.complete(journal.repair(number))
  await simulation.run(120_000)
  expect(await removals(pi, journal)).not.toEqual([])
  expect(await bytes()).toBeLessThanOrEqual(maxBytes)
  await simulation.complete(journal.close())
})

test('a range says so when what it reads is removed', async () => {
  const pi = aPi()
  const { simulation, disk } = pi
  const journal = await open(pi, { minFreeBytes: 2e6 })
  await fill(pi, journal, 900_000)
  const reading = journal.range({})[Symbol.asyncIterator]()
  await simulation.complete(reading.next())
  disk.capacityBytes -= disk.freeBytes - 1_700_000
  await simulation.run(60_000)
  const rest = async (): Promise<void> => {
    while (!(await reading.next()).done);
  }
  await expect(rest()).rejects.toMatchObject({ code: 'UNDERSTUDY_CURSOR_TOO_OLD' })
  await simulation.complete(journal.close())
})

test('verify goes on behind a store that is removed while it is read', async () => {
  const pi = aPi()
  const { simulation, world } = pi
  const journal = await open(pi, none)
  await fill(pi, journal, 300_000)
  const { nextPosition } = journal
  await simulation.complete(journal.close())
  const series = await Series.read(world, directory)
  const { number } = series.stores[0]!
  const blocksOfStore = series.blocksOfStore.bind(series)
  const find = series.find.bind(series)
  let removed = false
  series.find = (wanted) => (removed && wanted === number ? undefined : find(wanted))
  series.blocksOfStore = async function* (store, from) {
    for await (const block of blocksOfStore(store, from)) {
      yield block
      removed = true
      if (store.number === number) throw new Error('it is gone')
    }
  }
  const head = await readHead(world.files, journalPaths(directory).head)
  const report = await verifySeries(series, nextPosition, head, {})
  await series.close()
  expect(report.problems).toEqual([])
  expect(report.blocks).toBeGreaterThan(1)
})

test('a disk that is suddenly full to the last byte: room is made at once, and nothing is lost that came', async () => {
  const pi = aPi()
  const { simulation, world, disk } = pi
  const options = { ...writerOptions, storeBytes: STORE_BYTES, reserveBytes: 200_000 }
  const journal = await Journal.open(world, { ...options, retention: { minFreeBytes: 400_000 } }, silent)
  await fill(pi, journal, 1e6)
  disk.capacityBytes -= disk.freeBytes
  journal.append({ ...told('spin30', ''), payload: world.random.bytes(10_000) })
  await simulation.complete(journal.commit(), 5_000)
  expect((await removals(pi, journal)).length).toBeGreaterThan(1)
  const report = await simulation.complete(journal.verify())
  expect(report.problems).toEqual([])
  expect((await catalogueOf(pi)).stores[0]!.number).toBeGreaterThan(2)
  await simulation.complete(journal.close())
})

test("on a disk that is full to the last byte the readers' store is opened with the reserve, and room is made", async () => {
  const pi = aPi()
  const { simulation, disk } = pi
  const options = { ...writerOptions, storeBytes: 1e6, reserveBytes: 200_000, retention: { minFreeBytes: 400_000 } }
  const journal = await Journal.open(pi.world, options, silent)
  await fill(pi, journal, 3e6)
  for (let position = 1; position <= 5; position++) {
    await journal.readers.commit('counting', { position }, [['sum', Buffer.alloc(10_000)]])
  }
  pi.kill()
  disk.capacityBytes -= disk.freeBytes
  const again = await simulation.complete(Journal.open(pi.start(), options, silent))
  expect(again.readers.place('counting')).toEqual({ position: 5 })
  expect(disk.freeBytes).toBeGreaterThan(400_000)
  expect((await again.verify()).problems).toEqual([])
  await simulation.complete(again.close())
})

test("the log of the readers' store stays a small part of a store: its opening takes as much room", async () => {
  const pi = aPi()
  const journal = await Journal.open(pi.world, { ...writerOptions, storeBytes: 1e6 }, silent)
  for (let position = 1; position <= 50; position++) {
    await journal.readers.commit('counting', { position }, [[`sum ${position}`, Buffer.alloc(10_000)]])
    const files = await pi.world.files.list(paths.readers)
    const { name } = files.find(({ name }) => name.endsWith('.log'))!
    const { sizeBytes } = (await pi.world.files.info(`${paths.readers}/${name}`))!
    expect(sizeBytes).toBeLessThan(1e6 / 16 + 11_000)
  }
  await pi.simulation.complete(journal.close())
})

test("a full disk that has closed the readers' store: room is made all the same, and pins hold", async () => {
  const pi = aPi(1, 6e6)
  const { simulation, disk } = pi
  const { log, told } = loud()
  const journal = await open(pi, { minFreeBytes: 1e6 }, log)
  await fill(pi, journal, 1e6)
  const { stores } = await catalogueOf(pi)
  await journal.readers.commit('counting', { position: stores[2]!.firstPosition }, [])
  await journal.confirm(journal.nextPosition)
  disk.capacityBytes -= disk.freeBytes
  await expect(journal.readers.commit('counting', { position: 1 }, [['sum', Buffer.alloc(9000)]])).rejects.toThrow()
  disk.capacityBytes += 8192
  await simulation.run(120_000)
  expect(told.filter(([level]) => level === 'error')).toEqual([])
  const removed = await removals(pi, journal)
  expect(removed.slice(0, 2)).toMatchObject([
    { store: 1, pinned: false },
    { store: 2, pinned: false }
  ])
  expect(removed.slice(2).every(({ pinned }) => pinned)).toBe(true)
  expect(disk.freeBytes).toBeGreaterThan(500_000)
  await simulation.complete(journal.close())
})

test('what is not kept is not kept in coverage, and the rest stays exact', async () => {
  const pi = aPi()
  const { simulation } = pi
  const startUs = simulation.trueWallUs
  const journal = await open(pi, { minFreeBytes: 0, maxBytes: 400_000 })
  for (const stream of ['spin30', 'spin31']) journal.hearing.added(stream)
  journal.hearing.heard('spin30')
  journal.hearing.lost('spin31', 'refused', 'UNDERSTUDY_RELAY_DENIED')
  for (let step = 0; step < 20; step++) {
    await fill(pi, journal, 100_000)
    journal.hearing.proof('spin30')
  }
  expect(journal.firstPosition).toBeGreaterThan(1)
  const [heard, refused] = await journal.coverage({ fromUs: startUs - 5e6 })
  expect(heard!.rest.map(({ cause }) => cause)).toEqual(['not started', 'not kept'])
  expect(refused!.rest.map(({ cause, code }) => code ?? cause)).toEqual([
    'not started',
    'not kept',
    'UNDERSTUDY_RELAY_DENIED'
  ])
  const boundary = heard!.rest[1]!.toUs
  expect(refused!.rest[1]!.toUs).toBe(boundary)
  expect(heard!.heardUs).toBe(heard!.toUs - boundary)
  const { stores } = await catalogueOf(pi)
  expect(boundary - stores[0]!.begunUs).toBeLessThan(2e6)
  for (const { rest, heardUs, fromUs, toUs } of [heard!, refused!]) {
    expect(rest.reduce((sum, part) => sum + part.toUs - part.fromUs, heardUs)).toBe(toUs - fromUs)
  }
  await simulation.complete(journal.close())
})

test('a power cut at any moment of a removal: recording goes on, nothing is left over, and the loss is on record', async () => {
  let owed = 0
  for (let seed = 1; seed <= 40; seed++) {
    const pi = aPi(seed)
    const { simulation, disk } = pi
    let journal = await open(pi, none)
    await fill(pi, journal, 600_000)
    await simulation.complete(journal.merged())
    await simulation.complete(journal.close())
    disk.pace = { changeUs: [1_000, 8_000], syncUs: [1_000, 8_000] }
    const limits = { minFreeBytes: 0, maxBytes: 250_000 }
    void open(pi, limits)
    await simulation.run(seed * 12)
    pi.boot()
    disk.pace = { changeUs: [0, 0], syncUs: [0, 0] }
    if ((await catalogueOf(pi)).removals?.length) owed++
    const snapshot = await simulation.complete(openSnapshot(pi.world, directory))
    expect((await snapshot.verify()).problems, `seed ${seed}`).toEqual([])
    await snapshot.close()
    journal = await simulation.complete(open(pi, limits))
    await simulation.run(120_000)
    expect((await simulation.complete(journal.verify())).problems, `seed ${seed}`).toEqual([])
    const { stores, removals: pending } = await catalogueOf(pi)
    expect(pending).toEqual([])
    const names = (await pi.world.files.list(paths.stores)).map(({ name }) => Number(name))
    expect(names.sort((a, b) => a - b)).toEqual(stores.map(({ number }) => number))
    const removed = new Set((await removals(pi, journal)).map(({ store }) => store))
    expect([...removed].sort((a, b) => a - b)).toEqual(Array.from({ length: stores[0]!.number - 1 }, (_, n) => n + 1))
    await simulation.complete(journal.close())
  }
  expect(owed).toBeGreaterThan(3)
}, 60_000)

test('with LevelDB itself, the space comes back', async () => {
  const real = await realWorld()
  const folder = await temporaryDirectory()
  let journal = await openJournal(real, { directory: folder, storeBytes: 1_000_000 })
  for (let number = 0; number < 60; number++) {
    journal.append({ ...told('spin30', ''), payload: real.random.bytes(100_000) })
    await journal.commit()
  }
  await journal.merged()
  await journal.close()
  const bytes = async (): Promise<number> => {
    let sum = 0
    const { stores } = journalPaths(folder)
    for (const { name } of await real.files.list(stores)) sum += await folderBytes(real.files, `${stores}/${name}`)
    return sum
  }
  const before = await bytes()
  const free = (await real.files.space(folder)).freeBytes
  const options = { ...writerOptions, directory: folder, storeBytes: 1_000_000 }
  journal = await Journal.open(real, { ...options, retention: { minFreeBytes: 0, maxBytes: 2_500_000 } }, silent)
  const after = await bytes()
  console.log(
    `${before} bytes before, ${after} after; the disk has ${(await real.files.space(folder)).freeBytes - free} more`
  )
  expect(before).toBeGreaterThan(5_500_000)
  expect(after).toBeLessThan(3_000_000)
  expect((await journal.verify()).problems).toEqual([])
  await journal.close()
})
