import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { temporaryDirectory } from './fixtures.ts'
import { logFragments } from './logs.ts'
import { realStores } from './stores.ts'

const KEY_BYTES = 9
const values = Array.from({ length: 300 }, (_, index) => Buffer.alloc(1 + 7 * index, index))

async function writtenLog(): Promise<Buffer> {
  const directory = await temporaryDirectory()
  const store = await realStores.open(`${directory}/store`, { create: true })
  for (const [index, value] of values.entries()) {
    const key = Buffer.alloc(KEY_BYTES)
    key.writeUInt32BE(index, 5)
    await store.batch([{ type: 'put', key, value }], { sync: false })
  }
  await store.close()
  const name = (await readdir(`${directory}/store`)).find((found) => found.endsWith('.log'))!
  return readFile(`${directory}/store/${name}`)
}

function found(log: Buffer): Set<string> {
  return new Set([...logFragments(log, KEY_BYTES)].map((value) => value.toString('hex')))
}

test('every value of a log is among the fragments, also those that go over several blocks', async () => {
  const log = await writtenLog()
  expect(log.length).toBeGreaterThan(4 * 32 * 1024)
  const all = found(log)
  for (const value of values) expect(all.has(value.toString('hex'))).toBe(true)
})

test('a flipped bit takes one value, or one and what goes over the end of its block', async () => {
  const log = await writtenLog()
  for (let at = 0; at < log.length; at += 4099) {
    const damaged = Buffer.from(log)
    damaged[at]! ^= 1 << (at % 8)
    const left = found(damaged)
    expect(values.filter((value) => !left.has(value.toString('hex'))).length, `byte ${at}`).toBeLessThanOrEqual(2)
  }
})

test('of a log that was cut nothing is missing but the end', async () => {
  const log = await writtenLog()
  for (let length = 0; length < log.length; length += 4099) {
    const left = found(log.subarray(0, length))
    const kept = values.filter((value) => left.has(value.toString('hex')))
    expect(kept).toEqual(values.slice(0, kept.length))
    // A record's header, a batch's and a pair's, for each value and the one that was cut.
    const bytes = kept.reduce((sum, value) => sum + value.length + 40, 0)
    expect(bytes + (values[kept.length]?.length ?? 0) + 100).toBeGreaterThan(length)
  }
})
