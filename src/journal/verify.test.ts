import { expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { readCatalogue } from './catalogue.ts'
import { aMachine, directory, openJournal, texts, told } from './fixtures.ts'
import { Head, type HeadState, readHead } from './head.ts'
import { journalPaths } from './paths.ts'
import type { VerifyReport } from './reading.ts'
import { openSnapshot } from './snapshot.ts'

/** A closed journal of three stores; each has a commit a frame, the first 5 of them. */
async function closed(): Promise<Machine> {
  const machine = aMachine()
  for (let store = 0; store < 3; store++) {
    const journal = await openJournal(machine.world, { storeBytes: store === 0 ? 256e6 : 1 })
    for (let number = 0; number < 5 && (store === 0 || number < 1); number++) {
      journal.append(told('spin30', `frame ${number}`))
      await journal.commit()
    }
    await journal.close()
  }
  return machine
}

async function verify({ world }: Machine, since?: number): Promise<VerifyReport> {
  const snapshot = await openSnapshot(world, directory)
  const report = await snapshot.verify(since === undefined ? {} : { since })
  await snapshot.close()
  return report
}

/** Changes the blocks of a store as something might that knows LevelDB and not the journal. */
async function change(
  { world }: Machine,
  number: number,
  how: (keys: Buffer[], get: (key: Buffer) => Promise<Buffer>) => Promise<Array<[Buffer, Buffer | undefined]>>
): Promise<void> {
  const store = await world.stores.open(journalPaths(directory).store(number), { create: false })
  const scan = store.scan({ gte: Buffer.from('b'), lt: Buffer.from('c') })
  const keys = (await scan.next(1000)).map(([key]) => key)
  await scan.close()
  const changes = await how(keys, async (key) => (await store.get(key))!)
  for (const [key, value] of changes) {
    await store.batch([value ? { type: 'put', key, value } : { type: 'del', key }], { sync: true })
  }
  await store.close()
}

const placeOf = (key: Buffer): number => Number(key.readBigUInt64BE(1))

test('a sound journal has no problems, and is counted', async () => {
  const machine = await closed()
  const report = await verify(machine)
  expect(report).toMatchObject({ problems: [], frames: 7, erased: 0, firstPosition: 1 })
  expect(report.stores).toBeGreaterThan(2)
  expect(report.frames + report.events).toBe(report.nextPosition - 1)
  const since = await verify(machine, 5)
  expect(since.problems).toEqual([])
  expect(since.blocks).toBeLessThan(report.blocks)
  expect(since.nextPosition).toBe(report.nextPosition)
})

test.each([0, 1, 2, 3])('a block that is gone is named: number %d', async (which) => {
  const machine = await closed()
  let gone = { from: 0, to: 0 }
  await change(machine, 1, async (keys) => {
    gone = { from: placeOf(keys[which]!), to: placeOf(keys[which + 1]!) - 1 }
    return [[keys[which]!, undefined]]
  })
  const { problems } = await verify(machine)
  expect(problems).toMatchObject([{ kind: 'missing', store: 1, fromPosition: gone.from, toPosition: gone.to }])
})

test('the last block of a finished store is missed too', async () => {
  const machine = await closed()
  await change(machine, 1, async (keys) => [[keys.at(-1)!, undefined]])
  const { problems } = await verify(machine)
  expect(problems).toMatchObject([{ kind: 'missing', store: 1 }])
})

test('every flipped byte of a block is named', async () => {
  for (const at of [0, 1, 4, 9, 20, 50, 100, 110]) {
    const machine = await closed()
    let position = 0
    await change(machine, 1, async (keys, get) => {
      const value = await get(keys[2]!)
      value[at]! ^= 1
      position = placeOf(keys[2]!)
      return [[keys[2]!, value]]
    })
    expect((await verify(machine)).problems).toMatchObject([{ kind: 'damaged', store: 1, fromPosition: position }])
  }
})

test('what can be read of a store with a damaged block is read, in a snapshot that nobody salvages', async () => {
  const machine = await closed()
  await change(machine, 1, async (keys, get) => {
    const value = await get(keys[2]!)
    value[50]! ^= 1
    return [[keys[2]!, value]]
  })
  const snapshot = await openSnapshot(machine.world, directory)
  const read = await texts(snapshot.range({}))
  expect(read).toEqual(['frame 0', 'frame 2', 'frame 3', 'frame 4', 'frame 0', 'frame 0'])
  await snapshot.close()
})

test('blocks that change places are named', async () => {
  const machine = await closed()
  await change(machine, 1, async (keys, get) => [
    [keys[1]!, await get(keys[2]!)],
    [keys[2]!, await get(keys[1]!)]
  ])
  expect((await verify(machine)).problems.length).toBeGreaterThan(0)
})

test('a block of another journal breaks the chain', async () => {
  const machine = await closed()
  const other = aMachine(2)
  const journal = await openJournal(other.world)
  for (let number = 0; number < 5; number++) {
    journal.append(told('spin30', `other ${number}`))
    await journal.commit()
  }
  await journal.close()
  let foreign: Buffer | undefined
  await change(other, 1, async (keys, get) => {
    foreign = await get(keys[2]!)
    return []
  })
  await change(machine, 1, async (keys) => [[keys[2]!, foreign]])
  const { problems } = await verify(machine)
  expect(problems.map(({ kind }) => kind)).toContain('chain')
})

test('tells how far it is', async () => {
  const { world } = await closed()
  const snapshot = await openSnapshot(world, directory)
  const done: number[] = []
  await snapshot.verify({
    progress(doneBytes, totalBytes) {
      expect(doneBytes).toBeLessThanOrEqual(totalBytes)
      done.push(doneBytes)
    }
  })
  expect(done.length).toBeGreaterThan(0)
  expect(done).toEqual(done.toSorted((a, b) => a - b))
  await snapshot.close()
})

const paths = journalPaths(directory)

/** Writes the head anew with something else in it. */
async function changeHead({ world: { files } }: Machine, change: (head: HeadState) => Partial<HeadState>) {
  const state = (await readHead(files, paths.head))!
  await files.remove(paths.head)
  const head = await Head.open(files, paths.head)
  await head.write({ ...state, ...change(state) })
  await head.close()
}

test('a head with another hash is named', async () => {
  const machine = await closed()
  await changeHead(machine, () => ({ chain: 'ab'.repeat(32) }))
  expect((await verify(machine)).problems).toMatchObject([{ kind: 'head' }])
})

test('a head that says that it ends elsewhere is named', async () => {
  const machine = await closed()
  await changeHead(machine, ({ nextPosition }) => ({ nextPosition: nextPosition - 1, chain: 'ab'.repeat(32) }))
  expect((await verify(machine)).problems).toMatchObject([{ kind: 'head' }])
})

test('a head with another number of a stream is named', async () => {
  const machine = await closed()
  await changeHead(machine, ({ streams }) => ({ streams: { spin30: { ...streams['spin30']!, seq: 6 } } }))
  expect((await verify(machine)).problems).toMatchObject([{ kind: 'head', stream: 'spin30' }])
})

test('a head that is behind is none the worse for it', async () => {
  const machine = await closed()
  const earlier = await machine.world.files.readFile(paths.head)
  const journal = await openJournal(machine.start(), { storeBytes: 1 })
  journal.append(told('spin30', 'more'))
  await journal.close()
  await machine.world.files.writeFile(paths.head, earlier)
  expect((await verify(machine)).problems).toEqual([])
})

test('a head that is lost, or cannot be read, is named', async () => {
  const machine = await closed()
  await machine.world.files.writeFile(paths.head, Buffer.alloc(131_072))
  expect((await verify(machine)).problems).toMatchObject([{ kind: 'head' }])
})

/** Changes what a store says of itself. */
async function changeIdentity({ world }: Machine, number: number, change: (json: string) => string): Promise<void> {
  const store = await world.stores.open(paths.store(number), { create: false })
  const key = Buffer.concat([Buffer.from('m'), Buffer.alloc(8)])
  const value = Buffer.from(change((await store.get(key))!.toString()))
  await store.batch([{ type: 'put', key, value }], { sync: true })
  await store.close()
}

test('what a store says of itself has a checksum', async () => {
  const machine = await closed()
  await changeIdentity(machine, 2, (json) => json.replace('"number":2', '"number":3'))
  expect((await verify(machine)).problems).toContainEqual(expect.objectContaining({ kind: 'damaged', store: 2 }))
})

/** As the first releases wrote it, without a checksum. */
function withoutChecksum(json: string, change: Record<string, unknown>): string {
  const { crc32: _, ...identity } = JSON.parse(json)
  return JSON.stringify({ ...identity, ...change })
}

test.each([
  [{}, []],
  [{ number: 3 }, [{ kind: 'damaged', store: 2 }]],
  [{ firstPosition: 3 }, [{ kind: 'damaged', store: 2 }]],
  [{ after: 7 }, [{ kind: 'chain', store: 2 }]],
  [{ chain: 'ab'.repeat(32) }, [{ kind: 'chain', store: 2 }]]
])('a store that says %o of itself, and has no checksum', async (change, problems) => {
  const machine = await closed()
  await changeIdentity(machine, 2, (json) => withoutChecksum(json, change))
  expect((await verify(machine)).problems).toMatchObject(problems)
})

test('a store whose place is taken by another journal is named', async () => {
  const machine = await closed()
  const { stores } = (await readCatalogue(machine.world.files, paths.catalogue))!
  expect(stores.length).toBeGreaterThan(2)
  await changeIdentity(machine, 1, (json) => withoutChecksum(json, { chain: 'cd'.repeat(32) }))
  expect((await verify(machine)).problems).toMatchObject([{ kind: 'chain', store: 1 }])
})
