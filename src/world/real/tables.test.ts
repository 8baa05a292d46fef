import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { realStores } from './stores.ts'
import { fragments, isWholeTable } from './tables.ts'

const KEY_BYTES = 9
let directory: string
let table: Buffer
const values = Array.from({ length: 200 }, (_, index) => Buffer.alloc(1 + index, index))

beforeAll(async () => {
  directory = await mkdtemp(`${tmpdir()}/understudy-tables-`)
  const store = await realStores.open(`${directory}/store`, { create: true })
  for (const [index, value] of values.entries()) {
    const key = Buffer.alloc(KEY_BYTES)
    key.writeUInt32BE(index, 5)
    await store.batch([{ type: 'put', key, value }], { sync: false })
  }
  await store.compact()
  await store.close()
  const name = (await readdir(`${directory}/store`)).find((found) => found.endsWith('.ldb'))!
  table = await readFile(`${directory}/store/${name}`)
})

afterAll(() => rm(directory, { recursive: true }))

test('a table that LevelDB has written is whole', async () => {
  expect(isWholeTable(table)).toBe(true)
  expect(await realStores.damagedTables(`${directory}/store`)).toEqual([])
})

test('a table is not whole with any bit flipped', () => {
  // What the footer pads its handles with means nothing.
  const meaning = table.length - 40
  for (let at = 0; at < meaning; at += 13) {
    const damaged = Buffer.from(table)
    damaged[at]! ^= 1 << (at % 8)
    expect(isWholeTable(damaged), `byte ${at}`).toBe(false)
  }
})

test('a table is not whole at any other length', () => {
  for (let length = 0; length < table.length; length += 97) {
    expect(isWholeTable(table.subarray(0, length)), `${length} bytes`).toBe(false)
  }
})

test('every value that is still there is among the fragments, also without the footer', () => {
  const found = new Set([...fragments(table.subarray(0, -100), KEY_BYTES)].map((value) => value.toString('hex')))
  for (const value of values) expect(found.has(value.toString('hex'))).toBe(true)
})
