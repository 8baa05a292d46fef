import { expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { readCatalogue } from './catalogue.ts'
import { aMachine, directory, openJournal, texts, told, withFiles } from './fixtures.ts'
import { journalPaths } from './paths.ts'

const paths = journalPaths(directory)

/** What a process has left whose only store, with three frames, is then found without its CURRENT. */
async function damaged(): Promise<Machine> {
  const machine = aMachine()
  const journal = await openJournal(machine.world)
  for (const text of ['a', 'b', 'c']) journal.append(told('spin30', text))
  await journal.close()
  await machine.world.files.writeFile(`${paths.store(1)}/CURRENT`, '')
  return machine
}

test('recording goes on in a new store, and what can be read comes back behind it', async () => {
  const journal = await openJournal((await damaged()).world)
  const { seq } = journal.append(told('spin30', 'd'))
  expect(seq).toBeGreaterThan(3)
  await journal.commit()
  await journal.repaired()
  expect(await texts(journal.range({}))).toEqual(['a', 'b', 'c', 'd'])
  // All that was used is there again: the positions that were passed over never were.
  expect((await journal.verify()).problems).toEqual([])
  const [coverage] = await journal.coverage({ streams: ['spin30'] })
  expect(coverage!.rest.map(({ cause }) => cause)).not.toContain('store damaged')
})

test('also without a head: no number is used again, and the chain begins anew', async () => {
  const machine = await damaged()
  await machine.world.files.remove(paths.head)
  const journal = await openJournal(machine.world)
  for (const stream of ['spin30', 'another']) expect(journal.append(told(stream, 'd')).seq).toBeGreaterThan(3)
  await journal.commit()
  await journal.repaired()
  expect((await journal.verify()).problems).toMatchObject([{ kind: 'missing', store: 1 }])
  await journal.close()
  const again = await openJournal(machine.world)
  expect((await again.verify()).problems).toMatchObject([{ kind: 'missing', store: 1 }])
})

test('a block under a key that has changed is passed over, as a damaged one is', async () => {
  const machine = aMachine()
  const journal = await openJournal(machine.world, { storeBytes: 1 })
  for (const text of ['a', 'b', 'c']) {
    journal.append(told('spin30', text))
    await journal.commit()
  }
  await journal.close()
  const { stores } = machine.world
  const store = await stores.open(paths.store(2), { create: false })
  const [[key, value]] = (await store.scan({ gte: Buffer.from('b'), lt: Buffer.from('c') }).next(1)) as [
    [Buffer, Buffer]
  ]
  const other = Buffer.from(key)
  other[3]! ^= 1
  await store.batch(
    [
      { type: 'del', key },
      { type: 'put', key: other, value }
    ],
    { sync: true }
  )
  // In a log it would be found again.
  await store.compact()
  await store.close()
  const again = await openJournal(machine.start(), { storeBytes: 1e6 })
  expect((await texts(again.range({}))).length).toBe(2)
  await again.repaired()
  expect((await again.verify()).problems).toMatchObject([{ kind: 'missing', store: 2 }])
})

test('a cut between setting aside and saying so loses nothing', async () => {
  const machine = await damaged()
  const { files } = machine.world
  await files.makeDirectory(paths.aside)
  await files.rename(paths.store(1), `${paths.aside}/2026-11-01-000001`)
  const journal = await openJournal(machine.world)
  await journal.repaired()
  expect(await texts(journal.range({}))).toEqual(['a', 'b', 'c'])
  expect((await journal.verify()).problems).toEqual([])
  const catalogue = await readCatalogue(machine.world.files, paths.catalogue)
  expect(catalogue!.stores[0]!.damaged!.aside).toBe('2026-11-01-000001')
})

test('what is lost in a damaged store is a gap, although it was heard', async () => {
  const simulation = new Simulation(1)
  const machine = simulation.machine('pi')
  const journal = await openJournal(machine.world, { storeBytes: 1 })
  journal.hearing.added('spin30')
  journal.hearing.heard('spin30')
  for (let number = 1; number <= 6; number++) {
    journal.hearing.frame('spin30', Buffer.from(`{"number":${number}}`), false)
    await journal.commit()
    await simulation.run(10_000)
  }
  await journal.close()
  const lost = paths.store(4)
  for (const { name } of await machine.world.files.list(lost)) await machine.world.files.remove(`${lost}/${name}`)
  const again = await openJournal(machine.start(), { storeBytes: 1e6 })
  await again.repair()
  const missing = (await again.verify()).problems
  expect(missing).toMatchObject([{ kind: 'missing', store: 4 }])
  const [coverage] = await again.coverage({ streams: ['spin30'] })
  const gaps = coverage!.rest.filter(({ cause }) => cause === 'store damaged')
  expect(gaps).toHaveLength(1)
  expect(gaps[0]!.toUs).toBeGreaterThan(gaps[0]!.fromUs)
  const restUs = coverage!.rest.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0)
  expect(coverage!.heardUs + restUs).toBe(coverage!.toUs - coverage!.fromUs)
})

/** Three frames, a commit each, in one store; then its log loses its end. */
async function shortened(): Promise<{ machine: Machine; end: number }> {
  const machine = aMachine()
  const journal = await openJournal(machine.world)
  for (const text of ['a', 'b', 'c']) {
    journal.append(told('spin30', text))
    await journal.commit()
  }
  const end = journal.nextPosition
  machine.kill()
  const { files } = machine.start()
  const log = (await files.list(paths.store(1))).map(({ name }) => name).find((name) => name.endsWith('.log'))!
  const content = await files.readFile(`${paths.store(1)}/${log}`)
  await files.writeFile(`${paths.store(1)}/${log}`, content.subarray(0, content.length - 10))
  return { machine, end }
}

test('what is missing of the newest store ends where the head says that it ended', async () => {
  const { machine, end } = await shortened()
  const journal = await openJournal(machine.world)
  journal.append(told('spin30', 'd'))
  await journal.commit()
  await journal.repaired()
  const missing = { kind: 'missing', store: 1, fromPosition: end - 1, toPosition: end - 1 }
  expect((await journal.verify()).problems).toMatchObject([missing])
  const catalogue = await readCatalogue(machine.world.files, paths.catalogue)
  expect(catalogue!.stores[0]!.damaged!.holes).toMatchObject([{ fromPosition: end - 1, toPosition: end }])
  await journal.close()
  const again = await openJournal(machine.start())
  expect((await again.verify()).problems).toMatchObject([missing])
})

test('without a head what lies up to the next store may be missing', async () => {
  const { machine } = await shortened()
  await machine.world.files.remove(paths.head)
  await machine.world.files.writeFile(`${paths.store(1)}/CURRENT`, '')
  const journal = await openJournal(machine.world)
  await journal.repaired()
  const [problem] = (await journal.verify()).problems
  expect(problem).toMatchObject({ kind: 'missing', store: 1 })
  expect(problem!.detail).toContain('may be missing')
})

/** Takes away what a store in the series is made of. */
async function spoil({ world: { files } }: Machine, store: number): Promise<void> {
  await files.writeFile(`${paths.store(store)}/CURRENT`, '')
}

test.each(['by itself', 'when asked'])('a salvaged store that is damaged again is salvaged again, %s', async (how) => {
  const machine = await damaged()
  const journal = await openJournal(machine.world)
  await journal.repaired()
  expect(await texts(journal.range({}))).toEqual(['a', 'b', 'c'])
  await journal.close()
  await spoil(machine, 1)
  const again = await openJournal(machine.start())
  if (how === 'when asked') {
    expect(await again.repair(1)).toEqual({ examined: [1], salvaged: [1], unsalvaged: [] })
  } else {
    await texts(again.range({}))
    await again.repaired()
  }
  expect(await texts(again.range({}))).toEqual(['a', 'b', 'c'])
  expect((await again.verify()).problems).toEqual([])
  expect(await again.repair()).toMatchObject({ salvaged: [], unsalvaged: [] })
  // Once more in the same run.
  await again.close()
  await spoil(machine, 1)
  const third = await openJournal(machine.start())
  expect(await third.repair()).toMatchObject({ salvaged: [1], unsalvaged: [] })
  const { damaged: record } = (await readCatalogue(machine.world.files, paths.catalogue))!.stores[0]!
  const kept = await machine.world.files.list(`${paths.aside}/${record!.aside}`)
  expect(kept.filter(({ name }) => name.includes('again'))).toHaveLength(2)
})

test('what a salvaged store has lost is taken from what was set aside before', async () => {
  const machine = await damaged()
  const journal = await openJournal(machine.world)
  await journal.repaired()
  await journal.close()
  const { files } = machine.world
  for (const { name } of await files.list(paths.store(1))) await files.writeFile(`${paths.store(1)}/${name}`, '')
  const again = await openJournal(machine.start())
  expect(await again.repair(1)).toMatchObject({ salvaged: [1] })
  expect(await texts(again.range({}))).toEqual(['a', 'b', 'c'])
})

test('a disk that fails while a store is salvaged makes no hole: it is salvaged later', async () => {
  const machine = await damaged()
  let failing = true
  const { stores } = machine.world
  const flaky: typeof stores = {
    repair: (at) => stores.repair(at),
    damagedTables: (at, except) => stores.damagedTables(at, except),
    // What lies in the log is told by the store that was made of it only.
    fragments: async () => [],
    async open(at, options) {
      const store = await stores.open(at, options)
      if (!at.includes('.salvage') || options.create) return store
      return {
        get: (key) => store.get(key),
        batch: (operations, how) => store.batch(operations, how),
        compact: () => store.compact(),
        close: () => store.close(),
        scan(range) {
          const scan = store.scan(range)
          const fail = async (): Promise<never> => {
            throw Object.assign(new Error('IO error: Input/output error'), { code: 'LEVEL_IO_ERROR' })
          }
          return { next: (count) => (failing ? fail() : scan.next(count)), close: () => scan.close() }
        }
      }
    }
  }
  const journal = await openJournal({ ...machine.world, stores: flaky })
  await journal.repaired()
  expect((await readCatalogue(machine.world.files, paths.catalogue))!.stores[0]!.damaged!.salvaged).toBe(false)
  failing = false
  expect(await journal.repair(1)).toMatchObject({ salvaged: [1] })
  expect(await texts(journal.range({}))).toEqual(['a', 'b', 'c'])
  expect((await journal.verify()).problems).toEqual([])
})

test('starts that find no room to salvage put nothing on record', async () => {
  const machine = await damaged()
  const events = async (freeBytes: number): Promise<string[]> => {
    const journal = await openJournal(
      withFiles(machine.start(), { space: async () => ({ freeBytes, totalBytes: 1e9 }) })
    )
    await journal.repaired()
    await journal.commit()
    const found: string[] = []
    const cursor = journal.cursor({ position: journal.firstPosition })
    for (let some = await cursor.next(); some.length > 0; some = await cursor.next()) {
      for (const entry of some) if (entry.kind === 'event') found.push(entry.event.event)
    }
    await journal.close()
    return found.filter((event) => event === 'damaged' || event === 'salvaged')
  }
  expect(await events(0)).toEqual([])
  expect(await events(0)).toEqual([])
  expect(await events(1e9)).toEqual(['damaged', 'salvaged'])
})

test('a store that is gone altogether is a hole, and no work for every start', async () => {
  const machine = await damaged()
  const journal = await openJournal(machine.world)
  await journal.repaired()
  await journal.close()
  await machine.world.files.remove(paths.store(2))
  const again = await openJournal(machine.start())
  await texts(again.range({}))
  await again.repaired()
  expect(await again.repair()).toMatchObject({ unsalvaged: [] })
  expect((await again.verify()).problems).toContainEqual(expect.objectContaining({ kind: 'missing', store: 2 }))
})

test('a store that is not there cannot be repaired', async () => {
  const journal = await openJournal(aMachine().world)
  await expect(journal.repair(99)).rejects.toMatchObject({ code: 'UNDERSTUDY_UNKNOWN_STORE' })
})
