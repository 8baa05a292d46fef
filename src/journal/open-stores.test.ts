import { expect, test } from 'vitest'
import { sleep } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { CHAIN_START } from './chain.ts'
import { aFrame, aMachine, seal } from './fixtures.ts'
import { OpenStores } from './open-stores.ts'
import { BlockStore } from './store.ts'

const path = (number: number): string => `/data/${number}`

/** Stores 1 to 5, of one block each, in a world where closing one takes a while, as with LevelDB. */
async function five() {
  const { simulation, world: plain } = aMachine()
  for (let number = 1; number <= 5; number++) {
    const identity = { number, firstPosition: number, after: null, chain: CHAIN_START.toString('hex') }
    const store = await BlockStore.create(plain, path(number), identity)
    await store.append(seal([aFrame({ position: number })]))
    await store.close()
  }
  const opened: string[] = []
  const world: World = {
    ...plain,
    stores: {
      ...plain.stores,
      async open(directory, options) {
        const store = await plain.stores.open(directory, options)
        opened.push(directory)
        return {
          get: (key) => store.get(key),
          batch: (operations, how) => store.batch(operations, how),
          scan: (range) => store.scan(range),
          compact: () => store.compact(),
          close: () => sleep(plain.timers, 10).then(() => store.close())
        }
      }
    }
  }
  return { stores: new OpenStores(world, path), opened, simulation, world: plain }
}

async function read(stores: OpenStores, number: number): Promise<number> {
  for await (const { firstPosition } of stores.lend(number, (store) => store.blocks(1))) return firstPosition
  return 0
}

test('lends again without opening again, as long as few others are used', async () => {
  const { stores, opened, simulation } = await five()
  for (const number of [1, 2, 1, 2, 1]) expect(await simulation.complete(read(stores, number))).toBe(number)
  expect(opened).toEqual([path(1), path(2)])
})

test('opens a store that is being closed when that is done', async () => {
  const { stores, simulation } = await five()
  await simulation.complete(read(stores, 1))
  await simulation.complete(read(stores, 2))
  // When it gives 3 back, 1 is closed, which takes 10 ms.
  const third = read(stores, 3)
  await simulation.run(5)
  expect(await simulation.complete(read(stores, 1))).toBe(1)
  expect(await simulation.complete(third)).toBe(3)
})

test('one that could not be opened is tried anew', async () => {
  const { stores, simulation, world } = await five()
  const other = await BlockStore.open(world, path(3))
  await expect(simulation.complete(read(stores, 3))).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_IN_USE' })
  await other.close()
  expect(await simulation.complete(read(stores, 3))).toBe(3)
})

test('what is lent when all is closed is closed when it is given back', async () => {
  const { stores, simulation, world } = await five()
  const lent = stores.lend(1, (store) => store.blocks(1))
  await lent.next()
  await simulation.complete(stores.close())
  await simulation.complete(lent.return(undefined))
  await (await BlockStore.open(world, path(1))).close()
})

test('a store is not exchanged under who works at its files, nor are these worked at while it is', async () => {
  const { stores, simulation, world } = await five()
  const steps: string[] = []
  const step = (name: string) => async (): Promise<void> => {
    steps.push(`${name} begins`)
    await sleep(world.timers, 10)
    steps.push(`${name} ends`)
  }
  const look = stores.hold(1, step('look'))
  expect(await simulation.complete(stores.exchange(1, step('exchange')))).toBe(false)
  await simulation.complete(look)
  const exchange = stores.exchange(1, step('exchange'))
  await simulation.complete(Promise.all([exchange, stores.hold(1, step('look'))]))
  expect(await exchange).toBe(true)
  expect(steps).toEqual(['look', 'exchange', 'look'].flatMap((name) => [`${name} begins`, `${name} ends`]))
})
