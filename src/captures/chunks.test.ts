import { expect, test } from 'vitest'
import { CHUNK_BYTES, Chunks } from './chunks.ts'

test('a chunk that is given back is lent again, to one at a time', () => {
  const chunks = new Chunks()
  const [one, other] = [chunks.take(10), chunks.take(CHUNK_BYTES)]
  expect(other).not.toBe(one)
  chunks.giveBack(one)
  expect(chunks.take(1)).toBe(one)
  expect(chunks.take(1)).not.toBe(one)
})

test('one for what comes in one piece has room for it, and is not kept', () => {
  const chunks = new Chunks()
  const large = chunks.take(CHUNK_BYTES + 1)
  expect(large.length).toBe(CHUNK_BYTES + 1)
  chunks.giveBack(large)
  expect(large.buffer.byteLength).toBe(0)
  expect(chunks.take(CHUNK_BYTES + 1)).not.toBe(large)
})

test('no more are kept than may be used, and none when they are cleared', () => {
  const chunks = new Chunks()
  const all = Array.from({ length: 40 }, () => chunks.take(1))
  for (const chunk of all) chunks.giveBack(chunk)
  const kept = all.filter(({ buffer }) => buffer.byteLength > 0)
  expect(kept.length * CHUNK_BYTES).toBe(4 << 20)
  chunks.clear()
  expect(kept.every(({ buffer }) => buffer.byteLength === 0)).toBe(true)
})
