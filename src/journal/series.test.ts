import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../world/real/fixtures.ts'
import { realWorld } from '../world/real.ts'
import type { World } from '../world/world.ts'
import { CHAIN_START } from './chain.ts'
import { aFrame, aMachine, directory, seal } from './fixtures.ts'
import { Series } from './series.ts'

/** A series of stores of one block each, which hold two entries. */
async function filled(world: World, stores: number, folder = directory): Promise<Series> {
  await world.files.makeDirectory(folder)
  const series = await Series.read(world, folder)
  let chain = CHAIN_START
  for (let number = 1; number <= stores; number++) {
    const position = 2 * number - 1
    const store = await series.begin(position, chain, position)
    const blocks = seal(
      [aFrame({ position, seq: position }), aFrame({ position: position + 1, seq: position + 1 })],
      chain
    )
    await store.append(blocks)
    chain = blocks[0]!.chainAfter
  }
  return series
}

async function positions(series: Series, from = 1, to = Number.MAX_SAFE_INTEGER): Promise<number[]> {
  const found: number[] = []
  for await (const { firstPosition } of series.blocks(from, to)) found.push(firstPosition)
  return found
}

test('an empty series has nothing', async () => {
  const { world } = aMachine()
  const series = await Series.read(world, directory)
  expect(series.stores).toEqual([])
  expect(series.newest).toBe(undefined)
  expect(series.firstPosition).toBe(1)
  expect(await positions(series)).toEqual([])
})

test('is read across its stores', async () => {
  const series = await filled(aMachine().world, 5)
  expect(await positions(series)).toEqual([1, 3, 5, 7, 9])
  expect(await positions(series, 4, 8)).toEqual([3, 5, 7])
  expect(await positions(series, 5, 7)).toEqual([5])
  expect(await positions(series, 11)).toEqual([9])
})

test('each store but the newest says where it ended', async () => {
  const { stores, finishedEnd } = await filled(aMachine().world, 3)
  expect(stores.map(({ number, firstPosition, finished }) => [number, firstPosition, finished?.nextPosition])).toEqual([
    [1, 1, 3],
    [2, 3, 5],
    [3, 5, undefined]
  ])
  expect(finishedEnd).toEqual({ nextPosition: 5, chain: Buffer.from(stores[1]!.finished!.chain, 'hex') })
})

test('is the same after opening again', async () => {
  const { world } = aMachine()
  const series = await filled(world, 4)
  const { stores } = series
  await series.close()
  const again = await Series.read(world, directory)
  await again.openNewest()
  expect(again.stores).toEqual(stores)
  expect(again.newest!.number).toBe(4)
  expect(await positions(again)).toEqual([1, 3, 5, 7])
})

test('a begin that was cut off at any point leaves a series that can be opened and goes on', async () => {
  for (let bytes = 0; bytes < 9000; bytes += 97) {
    const machine = aMachine()
    machine.disk.failsAfterBytes = bytes
    await filled(machine.world, 1).catch(() => {})
    machine.kill()
    machine.disk.failsAfterBytes = Number.POSITIVE_INFINITY
    const series = await Series.read(machine.start(), directory)
    await series.openNewest()
    const position = series.finishedEnd.nextPosition
    const store = await series.begin(position, CHAIN_START, 1)
    await store.append(seal([aFrame({ position })]))
    expect((await positions(series)).at(-1)).toBe(position)
  }
})

test('reading goes on while stores are begun and finished', async () => {
  const { world } = aMachine()
  const series = await filled(world, 2)
  const reading = series.blocks(1, Number.MAX_SAFE_INTEGER)
  expect((await reading.next()).value?.firstPosition).toBe(1)
  for (let position = 5; position < 15; position += 2) {
    const store = await series.begin(position, CHAIN_START, 1)
    await store.append(seal([aFrame({ position }), aFrame({ position: position + 1 })]))
  }
  expect((await reading.next()).value?.firstPosition).toBe(3)
  await reading.return(undefined)
  expect(await positions(series)).toEqual([1, 3, 5, 7, 9, 11, 13])
})

test('many read at once, with real LevelDB, which lets a store be open once', async () => {
  const world = await realWorld()
  const series = await filled(world, 8, `${await temporaryDirectory()}/data`)
  onTestFinished(() => series.close())
  let damaged = 0
  series.onDamage = () => damaged++
  const readers = Array.from({ length: 8 }, async (_, reader) => {
    for (let round = 0; round < 20; round++) {
      const position = 2 * ((reader * 5 + round * 3) % 8) + 1
      expect(await positions(series, position, position + 2)).toEqual([position])
    }
  })
  await Promise.all(readers)
  expect(damaged).toBe(0)
})

test('closed while somebody reads, it leaves nothing open', async () => {
  const { world } = aMachine()
  const series = await filled(world, 3)
  const reading = series.blocks(1, Number.MAX_SAFE_INTEGER)
  await reading.next()
  await series.close()
  await reading.return(undefined)
  expect(await positions(await Series.read(world, directory))).toEqual([1, 3, 5])
})
