import { expect, test } from 'vitest'
import { readEntries, readHeader } from './block.ts'
import { CHAIN_START } from './chain.ts'
import { aFrame, anEvent, seal } from './fixtures.ts'

const frames = (...sizes: number[]) =>
  sizes.map((size, index) => aFrame({ position: index + 1, seq: index + 1, payload: Buffer.alloc(size, 'x') }))

test.each([
  { sizes: [10, 10, 10], counts: [3] },
  { sizes: [60, 40, 1], counts: [2, 1] },
  { sizes: [101, 1], counts: [1, 1] },
  { sizes: [1, 500, 1], counts: [1, 1, 1] },
  { sizes: [0, 0], counts: [2] },
  { sizes: [], counts: [] }
])('entries of $sizes bytes make blocks of $counts entries at 100 bytes a block', ({ sizes, counts }) => {
  const blocks = seal(frames(...sizes), CHAIN_START, 100)
  expect(blocks.map(({ value }) => readHeader(value).count)).toEqual(counts)
})

test('blocks continue each other, in position and in the chain', () => {
  const entries = frames(60, 60, 60)
  const blocks = seal(entries, Buffer.alloc(32, 9), 100)
  let before = Buffer.alloc(32, 9)
  for (const [index, { value, firstPosition, chainAfter }] of blocks.entries()) {
    expect(firstPosition).toBe(index + 1)
    expect(readHeader(value).chainBefore).toEqual(before)
    expect(readHeader(value).chainAfter).toEqual(chainAfter)
    before = Buffer.from(chainAfter)
    expect(readEntries({ store: 1, firstPosition, value, dictionaries: new Map() })).toEqual([entries[index]])
  }
})

test('says which blocks hold events', () => {
  const [first] = frames(60)
  const second = anEvent({ event: 'stop' }, { position: 2, payload: Buffer.alloc(60, ' ') })
  expect(seal([first!, second], CHAIN_START, 100).map(({ hasEvents }) => hasEvents)).toEqual([false, true])
})
