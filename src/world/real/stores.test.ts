import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Operation, Range, Store } from '../stores.ts'
import { temporaryDirectory } from './fixtures.ts'
import { realStores } from './stores.ts'

const put = (key: string, value: string | Buffer): Operation => ({
  type: 'put',
  key: Buffer.from(key),
  value: Buffer.from(value)
})

async function made(): Promise<{ directory: string; store: Store }> {
  const directory = `${await temporaryDirectory()}/store`
  const store = await realStores.open(directory, { create: true })
  onTestFinished(() => store.close())
  return { directory, store }
}

async function keys(store: Store, range: Range): Promise<string[]> {
  const scan = store.scan(range)
  const pairs = await scan.next(1000)
  await scan.close()
  return pairs.map(([key]) => key.toString())
}

test('what was put is there after closing, byte for byte', async () => {
  const { directory, store } = await made()
  const value = Buffer.from([0, 255, 10, 128])
  await store.batch([put('a', value), put('b', 'x')], { sync: true })
  await store.batch([{ type: 'del', key: Buffer.from('b') }], { sync: false })
  await store.close()
  const again = await realStores.open(directory, { create: false })
  const found = await again.get(new Uint8Array(Buffer.from('a')))
  expect(Buffer.isBuffer(found)).toBe(true)
  expect(found).toEqual(value)
  expect(await again.get(Buffer.from('b'))).toBe(undefined)
  await again.close()
})

test('scans a range in order of the bytes', async () => {
  const { store } = await made()
  await store.batch([put('c', ''), put('a', ''), put('b', ''), put('d', '')], { sync: false })
  const [b, c] = [Buffer.from('b'), Buffer.from('c')]
  expect(await keys(store, {})).toEqual(['a', 'b', 'c', 'd'])
  expect(await keys(store, { gte: b, lt: c })).toEqual(['b'])
  expect(await keys(store, { gt: b, lte: c })).toEqual(['c'])
  expect(await keys(store, { reverse: true, limit: 2 })).toEqual(['d', 'c'])
})

test('a scan sees the store as it was when it began', async () => {
  const { store } = await made()
  await store.batch([put('a', '')], { sync: false })
  const scan = store.scan({})
  await store.batch([put('b', '')], { sync: false })
  expect((await scan.next(10)).length).toBe(1)
  expect(await scan.next(10)).toEqual([])
  await scan.close()
})

test('a scan gives about a megabyte at a time, one pair at least', async () => {
  const { store } = await made()
  const large = Buffer.alloc(400_000, 1)
  await store.batch([put('a', Buffer.alloc(3_000_000)), ...['b', 'c', 'd', 'e', 'f'].map((key) => put(key, large))], {
    sync: false
  })
  const scan = store.scan({})
  const counts: number[] = []
  for (let pairs = await scan.next(100); pairs.length > 0; pairs = await scan.next(100)) counts.push(pairs.length)
  await scan.close()
  expect(counts).toEqual([1, 3, 2])
})

test('compacting leaves everything, in tables', async () => {
  const { directory, store } = await made()
  await store.batch([put('a', 'x'), put('\u00ff', 'y')], { sync: false })
  await store.compact()
  expect((await readdir(directory)).some((name) => name.endsWith('.ldb'))).toBe(true)
  expect(await keys(store, {})).toEqual(['a', '\u00ff'])
})

test('a store that is open here or elsewhere is in use, and free afterwards', async () => {
  const { directory, store } = await made()
  const here = realStores.open(directory, { create: false })
  await expect(here).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_IN_USE' })
  await store.close()

  const script = `const { Level } = require('level')
    new Level(process.argv[1]).open().then(() => console.log('open'))
    process.stdin.resume()`
  const other = spawn(process.execPath, ['-e', script, directory], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void other.kill())
  await once(other.stdout, 'data')
  const elsewhere = realStores.open(directory, { create: false })
  await expect(elsewhere).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_IN_USE' })

  other.kill('SIGKILL')
  await once(other, 'close')
  const again = await realStores.open(directory, { create: false })
  await again.close()
})

test('opening what is not there makes nothing', async () => {
  const parent = await temporaryDirectory()
  const open = realStores.open(`${parent}/store`, { create: false })
  await expect(open).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_UNREADABLE', cause: { code: 'ENOENT' } })
  expect(await readdir(parent)).toEqual([])
})

test('a store cannot be created twice', async () => {
  const { directory, store } = await made()
  await store.batch([put('a', 'x')], { sync: true })
  await store.close()
  const code = 'UNDERSTUDY_STORE_UNREADABLE'
  await expect(realStores.open(directory, { create: true })).rejects.toMatchObject({ code })
  const again = await realStores.open(directory, { create: false })
  expect(await keys(again, {})).toEqual(['a'])
  await again.close()
})

test.each([false, true])('a store without CURRENT is refused untouched (create: %s)', async (create) => {
  const { directory, store } = await made()
  await store.batch([put('a', 'x')], { sync: true })
  await store.compact()
  await store.close()
  await rm(`${directory}/CURRENT`)
  const before = await readdir(directory)
  const code = 'UNDERSTUDY_STORE_UNREADABLE'
  await expect(realStores.open(directory, { create })).rejects.toMatchObject({ code })
  expect(await readdir(directory)).toEqual(before)
})

test('a store that LevelDB refuses says why, is let go, and can be repaired', async () => {
  const { directory, store } = await made()
  await store.batch([put('a', 'x')], { sync: true })
  await store.close()
  await writeFile(`${directory}/CURRENT`, 'nonsense')
  for (let tries = 0; tries < 2; tries++) {
    const open = realStores.open(directory, { create: false })
    await expect(open).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_UNREADABLE', cause: expect.any(Error) })
  }
  await realStores.repair(directory)
  const again = await realStores.open(directory, { create: false })
  expect(await keys(again, {})).toEqual(['a'])
  await again.close()
})
