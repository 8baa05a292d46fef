import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UnderstudyError } from '../errors.ts'
import { encodeBlock, readEntries, readHeader, readParts, type StoredBlock } from './block.ts'
import type { Part } from './body.ts'
import { CHAIN_START } from './chain.ts'
import { aFrame, anEvent, HOUR_US, START_US, seal, someParts } from './fixtures.ts'
import { chainAfter } from './seal.ts'

const none = new Map<number, Buffer>()

function stored(value: Buffer, firstPosition = 1): StoredBlock {
  return { store: 1, firstPosition, value, dictionaries: none }
}

function encoded(parts: readonly Part[]): Buffer {
  return encodeBlock(parts, CHAIN_START, parts.reduce<Buffer>(chainAfter, CHAIN_START), none, 0).value
}

function read(value: Buffer): Part[] | undefined {
  try {
    return readParts(stored(value))
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error
    expect(['UNDERSTUDY_BLOCK_DAMAGED', 'UNDERSTUDY_STORE_NEWER']).toContain(error.code)
    return undefined
  }
}

/** As someone who writes a block by hand would leave it: wrong, and with a right checksum. */
function resealed(value: Buffer): Buffer {
  value.writeUInt32BE(crc32(value.subarray(8), crc32(value.subarray(0, 4))), 4)
  return value
}

test('any entries of any commits come back as they were', () => {
  fc.assert(fc.property(someParts, (parts) => void expect(readParts(stored(encoded(parts)))).toEqual(parts)))
})

test('the chain proves what is read', () => {
  fc.assert(
    fc.property(someParts, (parts) => {
      const value = encoded(parts)
      expect(readParts(stored(value)).reduce<Buffer>(chainAfter, CHAIN_START)).toEqual(readHeader(value).chainAfter)
    })
  )
})

test('commits merged into one block keep the end of the chain', () => {
  fc.assert(
    fc.property(someParts, (parts) => {
      let chain = CHAIN_START
      for (const part of parts) {
        const { value } = encodeBlock([part], chain, chainAfter(chain, part), none, 0)
        chain = Buffer.from(readHeader(value).chainAfter)
      }
      expect(readHeader(encoded(parts)).chainAfter).toEqual(chain)
    })
  )
})

test('only the frames of the streams asked for, and no events', () => {
  fc.assert(
    fc.property(someParts, fc.subarray(['spin30', 'spin31', 'nobody']), (parts, names) => {
      const wanted = new Set(names)
      const all = parts.flatMap(({ entries }) => entries)
      const some = all.filter((entry) => entry.kind === 'frame' && wanted.has(entry.stream))
      expect(readEntries(stored(encoded(parts)), wanted)).toEqual(some)
    })
  )
})

test('the header tells position, count and times', () => {
  const first = aFrame({ position: 7, wallUs: START_US + HOUR_US })
  const second = anEvent({ event: 'stop' }, { position: 8, wallUs: START_US })
  const [block] = seal([first, second])
  const span = { firstPosition: 7, earliestUs: START_US, latestUs: START_US + HOUR_US }
  expect(block).toMatchObject({ ...span, hasEvents: true })
  expect(readHeader(block!.value)).toMatchObject({ ...span, count: 2, chainBefore: CHAIN_START })
})

test('a time before 1970 counts as 1970 in the header, and is kept in the entry', () => {
  const [block] = seal([aFrame({ wallUs: -5 })])
  expect(readHeader(block!.value)).toMatchObject({ earliestUs: 0, latestUs: 0 })
  expect(readEntries(stored(block!.value))[0]!.wallUs).toBe(-5)
})

test('a 10 MB frame comes back', () => {
  const payload = Buffer.alloc(10_000_000, 'abc')
  const [block] = seal([aFrame({ payload })])
  expect(readEntries(stored(block!.value))[0]!.payload.equals(payload)).toBe(true)
})

test('every flipped bit is noticed', () => {
  const value = encoded([
    { salt: Buffer.alloc(16, 1), entries: [aFrame(), aFrame({ position: 2, seq: 2, binary: true })] },
    { salt: Buffer.alloc(16, 2), entries: [anEvent({ event: 'heard', stream: 'spin30' }, { position: 3 })] }
  ])
  for (let bit = 0; bit < value.length * 8; bit++) {
    const damaged = Buffer.from(value)
    damaged[bit >> 3]! ^= 1 << (bit & 7)
    expect(read(damaged)).toBe(undefined)
  }
})

test('every shortened block is noticed', () => {
  const value = encoded([{ salt: Buffer.alloc(16), entries: [aFrame()] }])
  for (let length = 0; length < value.length; length++) expect(read(value.subarray(0, length))).toBe(undefined)
})

test('a block of any bytes, or a damaged one with a right checksum, is a coded error or entries', () => {
  fc.assert(
    fc.property(
      someParts,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (parts, changes, plain) => {
        const value = plain
          ? encoded([{ salt: Buffer.alloc(16), entries: [aFrame({ payload: Buffer.of(1) })] }])
          : encoded(parts)
        for (const [at, byte] of changes) value[at % value.length] = byte
        read(resealed(value))
      }
    ),
    { numRuns: 1000 }
  )
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void read(Buffer.from(bytes))))
})

test.each([1, 3])('a block of 2 entries whose header says %d is damaged', (count) => {
  const value = encoded([{ salt: Buffer.alloc(16), entries: [aFrame(), aFrame({ position: 2, seq: 2 })] }])
  value.writeUInt32BE(count, 16)
  expect(read(resealed(value))).toBe(undefined)
})

test('a block under another key is damaged', () => {
  const [block] = seal([aFrame()])
  expect(() => readEntries(stored(block!.value, 2))).toThrow(/damaged/)
})

test('a block of a later format is told from a damaged one', () => {
  const [block] = seal([aFrame()])
  block!.value[0] = 2
  expect(() => readHeader(resealed(block!.value))).toThrow(expect.objectContaining({ code: 'UNDERSTUDY_STORE_NEWER' }))
})
