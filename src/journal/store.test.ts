import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../world/real/fixtures.ts'
import { realWorld } from '../world/real.ts'
import type { World } from '../world/world.ts'
import { readEntries, type StoredBlock } from './block.ts'
import { CHAIN_START } from './chain.ts'
import { aFrame, aMachine, anEvent, HOUR_US, START_US, seal } from './fixtures.ts'
import { sealBlocks } from './seal.ts'
import { BlockStore } from './store.ts'

const identity = { number: 4, firstPosition: 1, after: 3, chain: CHAIN_START.toString('hex') }
const path = '/data/stores/000004'

async function aStore(world: World = aMachine().world, directory = path): Promise<BlockStore> {
  await world.files.makeDirectory(directory.slice(0, directory.lastIndexOf('/')))
  return BlockStore.create(world, directory, identity)
}

/** Frames from `position` on, made `hours` after the start, as one block. */
function block(position: number, hours: number, count = 2): ReturnType<typeof seal> {
  const wallUs = START_US + hours * HOUR_US
  const frame = (index: number) => aFrame({ position: position + index, seq: position + index, wallUs })
  return seal(Array.from({ length: count }, (_, index) => frame(index)))
}

async function positions(blocks: AsyncIterable<StoredBlock>): Promise<number[]> {
  const found: number[] = []
  for await (const { firstPosition } of blocks) found.push(firstPosition)
  return found
}

test('blocks come in order, from the one that holds a position to the last that begins before another', async () => {
  const store = await aStore()
  for (const position of [1, 3, 5, 7]) await store.append(block(position, 0))
  expect(await positions(store.blocks(1))).toEqual([1, 3, 5, 7])
  expect(await positions(store.blocks(4))).toEqual([3, 5, 7])
  expect(await positions(store.blocks(5))).toEqual([5, 7])
  expect(await positions(store.blocks(4, 6))).toEqual([3, 5])
  expect(await positions(store.blocks(4, 5))).toEqual([3])
  expect(await positions(store.blocks(100))).toEqual([7])
})

test('an empty store has no blocks', async () => {
  const store = await aStore()
  expect(await positions(store.blocks(1))).toEqual([])
  expect(await store.last()).toBe(undefined)
  expect(await store.spans(0, Number.MAX_SAFE_INTEGER)).toEqual([])
})

test('positions are in the order of numbers, not of their digits', async () => {
  const store = await aStore()
  const all = [1, 255, 256, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 40]
  for (const position of all) await store.append(block(position, 0, 1))
  expect(await positions(store.blocks(1))).toEqual(all)
  expect((await store.last())!.firstPosition).toBe(2 ** 40)
})

test('tells in which spans blocks of a period may lie', async () => {
  const store = await aStore()
  const hours = [0, 0, 1, 5, 2]
  for (const [index, hour] of hours.entries()) await store.append(block(1 + 2 * index, hour))
  const at = (hour: number): number => START_US + hour * HOUR_US
  const end = Number.MAX_SAFE_INTEGER
  expect(await store.spans(at(0), at(1))).toEqual([{ from: 1, to: 5 }])
  expect(await store.spans(at(1), at(3))).toEqual([
    { from: 5, to: 7 },
    { from: 9, to: end }
  ])
  expect(await store.spans(at(0), at(6))).toEqual([{ from: 1, to: end }])
  expect(await store.spans(at(3), at(5))).toEqual([])
  expect(await store.spans(at(5), at(5) + 1)).toEqual([{ from: 7, to: 9 }])
  expect(await store.spans(-5, 1)).toEqual([])
})

test('a block over several hours is found in each of them', async () => {
  const store = await aStore()
  const old = aFrame({ wallUs: START_US - 3 * HOUR_US, origin: 'import' })
  await store.append(seal([old, aFrame({ position: 2, seq: 2 })]))
  for (const hour of [-3, -2, 0]) {
    const fromUs = START_US + hour * HOUR_US
    expect(await store.spans(fromUs, fromUs + 1)).toHaveLength(1)
  }
  expect(await store.spans(START_US + HOUR_US, START_US + 2 * HOUR_US)).toEqual([])
})

test('the blocks that hold events, up to a position', async () => {
  const store = await aStore()
  await store.append(block(1, 0))
  await store.append(seal([anEvent({ event: 'stop' }, { position: 3 })]))
  await store.append(block(4, 0))
  await store.append(seal([anEvent({ event: 'stop' }, { position: 6 })]))
  expect(await positions(store.eventBlocks(100))).toEqual([3, 6])
  expect(await positions(store.eventBlocks(6))).toEqual([3])
})

test('is the same after opening again, with real LevelDB, and goes on', async () => {
  const world = await realWorld()
  const directory = `${await temporaryDirectory()}/store`
  const store = await aStore(world, directory)
  await store.append([...block(1, 0), ...block(3, 1)])
  await store.close()
  const again = await BlockStore.open(world, directory)
  onTestFinished(() => again.close())
  await again.append(block(5, 1))
  await again.append(block(7, 2))
  expect(again.number).toBe(4)
  expect(await positions(again.blocks(2))).toEqual([1, 3, 5, 7])
  const fromUs = START_US + HOUR_US
  expect(await again.spans(fromUs, fromUs + 1)).toEqual([{ from: 3, to: 7 }])
  expect(again.dictionaries.get(again.dictionary)).toBeInstanceOf(Buffer)
})

test('its blocks can be read although its copies of the dictionaries are damaged', async () => {
  const { world } = aMachine()
  const store = await aStore(world)
  const { dictionaries, dictionary } = store
  const entries = [1, 2].map((position) =>
    aFrame({ position, payload: Buffer.from('{"type":"analytics"}'.repeat(20)) })
  )
  const randomBytes = (count: number) => Buffer.alloc(count)
  await store.append([...sealBlocks(entries, CHAIN_START, { blockBytes: 1e6, dictionaries, dictionary, randomBytes })])
  await store.close()
  const raw = await world.stores.open(path, { create: false })
  const key = Buffer.from('d\0\0\0\0\0\0\0\u0001')
  const value = Buffer.from((await raw.get(key))!)
  value.fill(0x55, 100)
  await raw.batch([{ type: 'put', key, value }], { sync: true })
  await raw.close()
  const again = await BlockStore.open(world, path)
  for await (const found of again.blocks(1)) expect(readEntries(found).map(({ position }) => position)).toEqual([1, 2])
  await again.close()
})

test('a store that is there already is not made again, one that is not is not opened', async () => {
  const { world } = aMachine()
  await (await aStore(world)).close()
  await expect(BlockStore.create(world, path, identity)).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_UNREADABLE' })
  await expect(BlockStore.open(world, '/data/stores/000009')).rejects.toMatchObject({
    code: 'UNDERSTUDY_STORE_UNREADABLE'
  })
})

test.each([
  ['a later format', { format: 2 }, 'UNDERSTUDY_STORE_NEWER'],
  ['nothing of itself', undefined, 'UNDERSTUDY_STORE_UNREADABLE'],
  ['nonsense', 'nonsense', 'UNDERSTUDY_STORE_UNREADABLE']
])('a store that tells of %s is left alone', async (_, told, code) => {
  const { world } = aMachine()
  const raw = await world.stores.open(path, { create: true })
  const key = Buffer.from('m\0\0\0\0\0\0\0\0')
  const value = Buffer.from(told === 'nonsense' ? told : JSON.stringify(told ?? {}))
  if (told) await raw.batch([{ type: 'put', key, value }], { sync: true })
  await raw.close()
  await expect(BlockStore.open(world, path)).rejects.toMatchObject({ code })
  // It is closed again: another can open it.
  await (await world.stores.open(path, { create: false })).close()
})
