import { expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { temporaryDirectory } from '../world/real/fixtures.ts'
import { realWorld } from '../world/real.ts'
import { readCatalogue } from './catalogue.ts'
import type { Entry } from './entry.ts'
import { aMachine, directory, openJournal, told } from './fixtures.ts'
import { folderBytes } from './folder-bytes.ts'
import type { Journal } from './journal.ts'
import { journalPaths } from './paths.ts'
import { openSnapshot } from './snapshot.ts'

const paths = journalPaths(directory)

/** Two minutes of frames, a commit each, in one store, which the last of them has just ended. */
async function record(machine: Machine): Promise<Journal> {
  const { simulation, world } = machine
  const journal = await openJournal(world, { storeAgeMs: 123_000 })
  for (let number = 0; number < 60; number++) {
    journal.append(told(`spin3${number % 3}`, `{"message":${number},"what":"${'turn '.repeat(number % 7)}"}`))
    await simulation.complete(journal.commit())
    if (number < 59) await simulation.run(2_100)
  }
  return journal
}

async function entriesOf(journal: Journal): Promise<Entry[]> {
  const cursor = journal.cursor()
  const entries: Entry[] = []
  for (let some = await cursor.next(); some.length > 0; some = await cursor.next()) entries.push(...some)
  return entries
}

test('a merged store has the same entries, byte for byte, and the same chain, in larger blocks', async () => {
  const machine = aMachine()
  const { simulation, world } = machine
  const journal = await record(machine)
  const first = (await readCatalogue(world.files, paths.catalogue))!.stores[0]!
  const before = await simulation.complete(entriesOf(journal))
  const { blocks } = await simulation.complete(journal.verify())
  await simulation.complete(journal.merged())
  const after = await simulation.complete(entriesOf(journal))
  expect(after.slice(0, before.length)).toEqual(before)
  const report = await simulation.complete(journal.verify())
  expect(report.problems).toEqual([])
  expect(report.blocks).toBeLessThan(blocks / 5)
  expect((await readCatalogue(world.files, paths.catalogue))!.stores[0]).toEqual({ ...first, merged: true })
  expect((await world.files.list(paths.stores)).map(({ name }) => name).sort()).toEqual(['000001', '000002'])
  await simulation.complete(journal.close())
})

test('a frame larger than a block stays a block of its own', async () => {
  const machine = aMachine()
  const { simulation } = machine
  const journal = await openJournal(machine.world, { storeBytes: 300_000 })
  for (const size of [10, 400_000, 10, 10]) {
    journal.append({ ...told('spin30', ''), payload: machine.world.random.bytes(size) })
    await simulation.complete(journal.commit())
  }
  await simulation.complete(journal.merged())
  expect(await simulation.complete(journal.verify())).toMatchObject({ problems: [], frames: 4 })
  const sizes = (await entriesOf(journal)).flatMap((entry) => (entry.kind === 'frame' ? [entry.payload.length] : []))
  expect(sizes).toEqual([10, 400_000, 10, 10])
  await simulation.complete(journal.close())
})

test('who reads a store while it is merged reads on in the old one, and the new one waits for that', async () => {
  const machine = aMachine()
  const { simulation } = machine
  const journal = await record(machine)
  const reading = journal.range({})[Symbol.asyncIterator]()
  const frames = [...(await simulation.complete(reading.next())).value!]
  await simulation.run(60_000)
  const { stores } = (await readCatalogue(machine.world.files, paths.catalogue))!
  expect(stores[0]!.merged).toBeUndefined()
  for (
    let next = await simulation.complete(reading.next());
    !next.done;
    next = await simulation.complete(reading.next())
  ) {
    frames.push(...next.value)
  }
  expect(frames.length).toBe(60)
  await simulation.complete(journal.merged())
  expect((await readCatalogue(machine.world.files, paths.catalogue))!.stores[0]!.merged).toBe(true)
  await simulation.complete(journal.close())
})

test('a store with a damaged block is not merged but salvaged', async () => {
  const machine = aMachine()
  const { simulation, world } = machine
  let journal = await record(machine)
  await simulation.complete(journal.close())
  const store = await world.stores.open(paths.store(1), { create: false })
  const [pair] = await store.scan({ gte: Buffer.from('b'), lt: Buffer.from('c'), limit: 1 }).next(1)
  pair![1][120]! ^= 1
  await store.batch([{ type: 'put', key: pair![0], value: pair![1] }], { sync: true })
  await store.close()
  journal = await openJournal(world)
  await simulation.complete(journal.merged())
  await simulation.complete(journal.repaired())
  const { stores } = (await readCatalogue(world.files, paths.catalogue))!
  expect(stores[0]).toMatchObject({ damaged: { salvaged: true } })
  await simulation.complete(journal.close())
})

test('closing ends a merging between two blocks', async () => {
  const machine = aMachine()
  const journal = await record(machine)
  await machine.simulation.complete(journal.close(), 1_000)
  expect((await machine.world.files.list(paths.stores)).map(({ name }) => name).sort()).toEqual(['000001', '000002'])
})

test('a power cut at any moment of a merging leaves one whole store under the name', async () => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 60; seed++) {
    const machine = aMachine(seed)
    const { simulation, disk } = machine
    const journal = await record(machine)
    const before = await simulation.complete(entriesOf(journal))
    disk.pace = { changeUs: [1_000, 30_000], syncUs: [1_000, 30_000] }
    await simulation.run(seed * 10)
    const cutAt = (await readCatalogue(machine.world.files, paths.catalogue))!.stores[0]!.merged
    seen.add(`${cutAt} ${(await machine.world.files.list(paths.stores)).map(({ name }) => name).sort()}`)
    machine.boot()
    disk.pace = { changeUs: [0, 0], syncUs: [0, 0] }
    const snapshot = await simulation.complete(openSnapshot(machine.world, directory))
    expect((await snapshot.verify()).problems, `seed ${seed}`).toEqual([])
    await snapshot.close()
    const again = await simulation.complete(openJournal(machine.world))
    expect((await simulation.complete(entriesOf(again))).slice(0, before.length), `seed ${seed}`).toEqual(before)
    await simulation.complete(again.merged())
    const report = await simulation.complete(again.verify())
    expect(report.problems, `seed ${seed}`).toEqual([])
    const { stores } = (await readCatalogue(machine.world.files, paths.catalogue))!
    expect(stores[0]).toMatchObject({ merged: true })
    const names = (await machine.world.files.list(paths.stores)).map(({ name }) => name)
    expect(names.filter((name) => !/^\d+$/.test(name))).toEqual([])
    await simulation.complete(again.close())
  }
  expect([...seen].sort()).toEqual([
    'true 000001,000001.old,000002',
    'true 000001,000002',
    'undefined 000001,000001.merging,000002',
    'undefined 000001,000001.old,000002',
    'undefined 000001.merging,000001.old,000002'
  ])
})

test('with LevelDB itself, a journal at the pace of people becomes several times smaller', async () => {
  const real = await realWorld()
  const folder = await temporaryDirectory()
  let journal = await openJournal(real, { directory: folder })
  const startUs = real.clock.wallUs()
  const { monoUs } = real.clock
  // 20 minutes of 3 messages a second, two of which meet in a commit now and then.
  for (let number = 0; number < 3_600; number++) {
    const wallUs = startUs + Math.floor(number * 333_333)
    const text = `{"token":"","payload":"{\\"set\\":\\"position\\",\\"to\\":${number % 97}}","aud":"spin3${number % 4}","time":${wallUs}}`
    const stamp = { wallUs, monoUs: monoUs.call(real.clock), boot: real.clock.boot, source: 'ntp' } as const
    journal.append({ ...told(`spin3${number % 4}`, text), stamp })
    if (number % 3 !== 0) await journal.commit()
  }
  await journal.close()
  const bytes = await folderBytes(real.files, journalPaths(folder).store(1))
  journal = await openJournal(real, { directory: folder, storeBytes: 1 })
  journal.append(told('spin30', 'the last one of this store'))
  await journal.commit()
  const report = await journal.verify()
  await journal.merged()
  const merged = await folderBytes(real.files, journalPaths(folder).store(1))
  console.log(`stored ${bytes} bytes, merged ${merged}: ${(bytes / merged).toFixed(1)} times smaller`)
  expect(merged).toBeLessThan(bytes / 3)
  expect(await journal.verify()).toMatchObject({ problems: [], frames: report.frames, chain: report.chain })
  await journal.close()
})

test('a journal that is open for a moment only merges nothing', async () => {
  const machine = aMachine()
  const { simulation, world } = machine
  await simulation.complete((await record(machine)).close())
  const journal = await openJournal(world, { merges: false })
  await simulation.run(600_000)
  expect((await readCatalogue(world.files, paths.catalogue))!.stores[0]!.merged).toBeFalsy()
  await simulation.complete(journal.close())
  const again = await openJournal(world)
  await simulation.complete(again.merged())
  expect((await readCatalogue(world.files, paths.catalogue))!.stores[0]!.merged).toBe(true)
  await simulation.complete(again.close())
})
