import { expect, test } from 'vitest'
import type { Store } from '../../world/stores.ts'
import { Simulation } from './simulation.ts'

const key = (n: number): Buffer => Buffer.from(String(n).padStart(8, '0'))
const put = (store: Store, n: number, sync: boolean, bytes = 20): Promise<void> =>
  store.batch([{ type: 'put', key: key(n), value: Buffer.alloc(bytes, n) }], { sync })

async function keysOf(store: Store): Promise<number[]> {
  const scan = store.scan({})
  const keys: number[] = []
  for (;;) {
    const pairs = await scan.next(1000)
    if (pairs.length === 0) return keys
    keys.push(...pairs.map(([found]) => Number(found.toString())))
  }
}

test('reads what was written, by key and by range', async () => {
  const { stores } = new Simulation(1).machine('pi').world
  const store = await stores.open('/data/journal', { create: true })
  for (const n of [5, 3, 9, 1, 7]) await put(store, n, true)
  await store.batch(
    [
      { type: 'del', key: key(9) },
      { type: 'put', key: key(3), value: Buffer.from('new') }
    ],
    { sync: true }
  )
  expect((await store.get(key(3)))?.toString()).toBe('new')
  expect(await store.get(key(9))).toBeUndefined()
  expect(await keysOf(store)).toEqual([1, 3, 5, 7])
  const some = await store.scan({ gt: key(1), lte: key(7), reverse: true, limit: 2 }).next(10)
  expect(some.map(([found]) => Number(found))).toEqual([7, 5])
})

test('a scan gives the range as it was when it was asked for', async () => {
  const { stores } = new Simulation(1).machine('pi').world
  const store = await stores.open('/journal', { create: true })
  for (const n of [1, 3, 5]) await put(store, n, false)
  const scan = store.scan({})
  await put(store, 2, false)
  await put(store, 9, false)
  await store.batch([{ type: 'del', key: key(5) }], { sync: false })
  expect((await scan.next(10)).map(([found]) => Number(found))).toEqual([1, 3, 5])
  expect(await keysOf(store)).toEqual([1, 2, 3, 9])
})

test('opens once at a time, exists or not as asked', async () => {
  const pi = new Simulation(1).machine('pi')
  const { stores } = pi.world
  await expect(stores.open('/journal', { create: false })).rejects.toMatchObject({
    code: 'UNDERSTUDY_STORE_UNREADABLE'
  })
  const store = await stores.open('/journal', { create: true })
  await expect(pi.start().stores.open('/journal', { create: false })).rejects.toMatchObject({
    code: 'UNDERSTUDY_STORE_IN_USE'
  })
  await store.close()
  await expect(stores.open('/journal', { create: true })).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_UNREADABLE' })
  await (await stores.open('/journal', { create: false })).close()
})

test('a kill keeps everything and unlocks', async () => {
  const pi = new Simulation(1).machine('pi')
  const store = await pi.world.stores.open('/journal', { create: true })
  for (let n = 0; n < 100; n++) await put(store, n, false)
  pi.kill()
  const again = await pi.start().stores.open('/journal', { create: false })
  expect((await keysOf(again)).length).toBe(100)
})

test('a cut keeps what was synced, and of the rest a beginning', async () => {
  const kept = new Set<number>()
  for (let seed = 0; seed < 40; seed++) {
    const pi = new Simulation(seed).machine('pi')
    const store = await pi.world.stores.open('/journal', { create: true, writeBufferBytes: 9000 })
    for (let n = 0; n < 100; n++) await put(store, n, n < 50, 100)
    const again = await pi.boot().stores.open('/journal', { create: false })
    const keys = await keysOf(again)
    expect(keys).toEqual(Array.from({ length: keys.length }, (_, n) => n))
    expect(keys.length).toBeGreaterThanOrEqual(50)
    kept.add(keys.length)
  }
  expect(kept.has(100)).toBe(true)
  expect(Math.min(...kept)).toBeLessThan(100)
  expect(kept.size).toBeGreaterThan(2)
})

/** A store of several tables and a log, closed. */
async function closedStore(seed: number) {
  const pi = new Simulation(seed).machine('pi')
  const store = await pi.world.stores.open('/journal', { create: true, writeBufferBytes: 3000 })
  for (let n = 0; n < 90; n++) await put(store, n, true, 100)
  await store.close()
  const names = (await pi.world.files.list('/journal')).map(({ name }) => name).sort()
  const reopen = () => pi.world.stores.open('/journal', { create: false })
  const truncate = async (name: string, share: number): Promise<void> => {
    const content = await pi.world.files.readFile(`/journal/${name}`)
    await pi.world.files.writeFile(`/journal/${name}`, content.subarray(0, Math.floor(content.length * share)))
  }
  return { pi, names, reopen, truncate }
}

test('is files in a folder, which can be linked and copied', async () => {
  const { pi, names, reopen } = await closedStore(1)
  expect(names).toContain('CURRENT')
  expect(names.filter((name) => name.endsWith('.ldb')).length).toBeGreaterThan(2)
  const { files, stores } = pi.world
  await files.makeDirectory('/copy')
  for (const name of names) {
    if (name.endsWith('.ldb')) await files.link(`/journal/${name}`, `/copy/${name}`)
    else await files.writeFile(`/copy/${name}`, await files.readFile(`/journal/${name}`))
  }
  await files.rename('/copy', '/snapshot')
  const snapshot = await stores.open('/snapshot', { create: false })
  expect((await keysOf(snapshot)).length).toBe(90)
  await snapshot.compact()
  expect((await keysOf(await reopen())).length).toBe(90)
})

test('a shortened log opens without the rest', async () => {
  const { names, reopen, truncate } = await closedStore(1)
  await truncate(names.find((name) => name.endsWith('.log'))!, 0.5)
  const keys = await keysOf(await reopen())
  expect(keys.length).toBeLessThan(90)
  expect(keys.length).toBeGreaterThan(74)
  expect(keys).toEqual(Array.from({ length: keys.length }, (_, n) => n))
})

test('a shortened manifest opens without tables, and they are gone', async () => {
  const { pi, names, reopen, truncate } = await closedStore(1)
  await truncate(names.find((name) => name.startsWith('MANIFEST'))!, 0.6)
  const keys = await keysOf(await reopen())
  expect(keys.length).toBeGreaterThan(0)
  expect(keys.length).toBeLessThan(70)
  const left = (await pi.world.files.list('/journal')).filter(({ name }) => name.endsWith('.ldb'))
  expect(left.length).toBeLessThan(names.filter((name) => name.endsWith('.ldb')).length)
})

test('a flipped value is read as if nothing were wrong', async () => {
  const { pi, names, reopen } = await closedStore(1)
  const table = names.find((name) => name.endsWith('.ldb'))!
  pi.disk.flip(`/journal/${table}`, 8 * 50)
  const store = await reopen()
  const value = await store.get(key(0))
  expect(value?.length).toBe(100)
  expect(value?.equals(Buffer.alloc(100))).toBe(false)
})

test('a missing table, manifest or CURRENT is refused, and repaired', async () => {
  for (const damage of ['ldb', 'MANIFEST', 'CURRENT']) {
    const { pi, names, reopen } = await closedStore(1)
    await pi.world.files.remove(`/journal/${names.find((name) => name.includes(damage))}`)
    await expect(reopen()).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_UNREADABLE' })
    await pi.world.stores.repair('/journal')
    const keys = await keysOf(await reopen())
    expect(keys.length).toBeGreaterThan(60)
    if (damage !== 'ldb') expect(keys.length).toBe(90)
  }
})

test('a shortened table fails when it is read; repair keeps what is left', async () => {
  const { pi, names, reopen, truncate } = await closedStore(1)
  await truncate(names.find((name) => name.endsWith('.ldb'))!, 0.5)
  const store = await reopen()
  await expect(store.get(key(0))).rejects.toMatchObject({ code: 'LEVEL_CORRUPTION' })
  await put(store, 100, true)
  await store.close()
  await pi.world.stores.repair('/journal')
  const keys = await keysOf(await reopen())
  expect(keys).toContain(0)
  expect(keys).toContain(100)
  expect(keys.length).toBeGreaterThan(75)
  expect(keys.length).toBeLessThan(91)
  expect((await pi.world.files.list('/journal/lost')).length).toBeGreaterThan(0)
})

test('overwriting the same keys does not fill the disk', async () => {
  const pi = new Simulation(1).machine('pi', { diskBytes: 100_000 })
  const store = await pi.world.stores.open('/cursors', { create: true, writeBufferBytes: 4000 })
  for (let n = 0; n < 3000; n++) await put(store, n % 7, false, 100)
  expect((await keysOf(store)).length).toBe(7)
})

test('a month of batches takes seconds', { timeout: 20_000 }, async () => {
  const pi = new Simulation(1).machine('pi')
  const store = await pi.world.stores.open('/journal', { create: true })
  for (let n = 0; n < 100_000; n++) await put(store, n, true, 300)
  const again = await pi.boot().stores.open('/journal', { create: false })
  expect((await again.get(key(99_999)))?.length).toBe(300)
})
