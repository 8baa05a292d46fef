import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { World } from '../world/world.ts'
import { directory, openJournal } from './fixtures.ts'
import type { Journal } from './journal.ts'
import { journalPaths } from './paths.ts'

const path = journalPaths(directory).store(1)

/** The world with a list of the tables that are read in full before a store is opened, and of the stores opened. */
function watched(world: World): { world: World; read: string[]; opened: string[] } {
  const read: string[] = []
  const opened: string[] = []
  const { stores, files } = world
  const watching: typeof stores = {
    open: (at, options) => {
      opened.push(at)
      return stores.open(at, options)
    },
    repair: (at) => stores.repair(at),
    fragments: (table, keyBytes) => stores.fragments(table, keyBytes),
    async damagedTables(at, except) {
      if (at === path) read.push(...(await tablesIn(files, except)))
      return stores.damagedTables(at, except)
    }
  }
  return { world: { ...world, stores: watching }, read, opened }
}

async function tablesIn(files: World['files'], except?: ReadonlySet<string>): Promise<string[]> {
  return (await files.list(path)).map(({ name }) => name).filter((name) => name.endsWith('.ldb') && !except?.has(name))
}

/** Frames that fill some tables. */
async function fill(journal: Journal, megabytes: number): Promise<void> {
  for (let number = 0; number < megabytes * 4; number++) {
    journal.append({ stream: 'spin30', payload: randomBytes(250_000), binary: true, origin: 'relay' })
    await journal.commit()
  }
}

/** A recorder that has filled three tables and more, and is left running. */
async function running(): Promise<{ machine: Machine; simulation: Simulation; journal: Journal }> {
  const simulation = new Simulation(1)
  const machine = simulation.machine('pi')
  const journal = await openJournal(machine.world)
  await fill(journal, 14)
  return { machine, simulation, journal }
}

async function sound(journal: Journal, frames: number): Promise<void> {
  const report = await journal.verify()
  expect(report).toMatchObject({ problems: [], frames })
}

test('after a clean end the newest store is opened at once, and no table is read', async () => {
  const { machine, journal } = await running()
  await journal.close()
  const start = watched(machine.start())
  const again = await openJournal(start.world)
  expect(start.read).toEqual([])
  expect(start.opened.filter((at) => at.startsWith(path))).toEqual([path])
  await sound(again, 56)
})

test('after kill -9 only what was written since the last mark is read', async () => {
  const { machine } = await running()
  machine.kill()
  const start = watched(machine.start())
  const tables = await tablesIn(start.world.files)
  expect(tables.length).toBeGreaterThan(2)
  const again = await openJournal(start.world)
  expect(start.read.length).toBeLessThan(tables.length - 1)
  await sound(again, 56)
})

test('after a power cut everything is read', async () => {
  const { machine } = await running()
  machine.cutPower()
  const start = watched(machine.boot())
  const tables = await tablesIn(start.world.files)
  await openJournal(start.world)
  expect(start.read.sort()).toEqual(tables.sort())
})

test('a start soon after one that relied on the mark reads everything', async () => {
  const { machine } = await running()
  machine.kill()
  await openJournal(machine.start())
  machine.kill()
  const start = watched(machine.start())
  const tables = await tablesIn(start.world.files)
  const journal = await openJournal(start.world)
  expect(start.read.sort()).toEqual(tables.sort())
  await sound(journal, 56)
})

test('a minute later the mark is there again', async () => {
  const { machine, simulation } = await running()
  machine.kill()
  const journal = await openJournal(machine.start())
  await simulation.run(61_000)
  machine.kill()
  const start = watched(machine.start())
  const again = await openJournal(start.world)
  expect(start.read).toEqual([])
  await sound(again, 56)
  expect(journal).toBeDefined()
})

test.each(['killed', 'closed'])('%s: a table that has changed since is found before it is opened', async (how) => {
  const { machine, journal } = await running()
  if (how === 'closed') await journal.close()
  else machine.kill()
  const { files } = machine.start()
  const [table] = (await tablesIn(files)).sort()
  const content = await files.readFile(`${path}/${table}`)
  await files.writeFile(`${path}/${table}`, content.subarray(0, content.length - 1000))
  const start = watched(machine.start())
  const again = await openJournal(start.world)
  expect(start.opened).not.toContain(path)
  await again.repaired()
  expect((await again.verify()).problems).not.toContainEqual(expect.objectContaining({ kind: 'damaged' }))
})

test('killed: entries that a cut log has lost are missed', async () => {
  const { machine } = await running()
  machine.kill()
  const { files } = machine.start()
  const log = (await files.list(path)).map(({ name }) => name).find((name) => name.endsWith('.log'))!
  const content = await files.readFile(`${path}/${log}`)
  await files.writeFile(`${path}/${log}`, content.subarray(0, content.length / 2))
  const again = await openJournal(machine.start())
  await again.repaired()
  expect((await again.verify()).problems).toMatchObject([{ kind: 'missing', store: 1 }])
})

test.each([/\.log$/, /^MANIFEST/, /^CURRENT$/])(
  'closed: a bit that has turned over unseen in %s is found',
  async (file) => {
    const { machine, journal } = await running()
    const end = journal.nextPosition
    await journal.close()
    const name = (await machine.world.files.list(path)).map((entry) => entry.name).find((found) => file.test(found))!
    machine.disk.flip(`${path}/${name}`)
    const start = watched(machine.start())
    const again = await openJournal(start.world)
    expect(start.opened).not.toContain(path)
    expect(again.nextPosition).toBeGreaterThan(end)
  }
)

test('a bit that has turned over unseen in any table never gives a wrong frame, nor keeps a recorder from starting', async () => {
  for (let round = 0; round < 8; round++) {
    const { machine, journal } = await running()
    await journal.close()
    const tables = (await tablesIn(machine.world.files)).sort()
    machine.disk.flip(`${path}/${tables[round % tables.length]}`)
    const again = await openJournal(machine.start())
    const frame = again.append({ stream: 'spin30', payload: Buffer.from('a'), binary: false, origin: 'relay' })
    await again.commit()
    expect(frame.seq).toBeGreaterThan(56)
    await again.close()
  }
})

test('a mark that is damaged in any way is none', async () => {
  const { machine, journal } = await running()
  await journal.close()
  machine.disk.flip(`${path}/PROVED`)
  const start = watched(machine.start())
  const again = await openJournal(start.world)
  expect(start.read.length).toBeGreaterThan(2)
  await sound(again, 56)
})
