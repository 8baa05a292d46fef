import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteReader, ByteWriter, readU64, writeU64 } from './bytes.ts'

function written(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter(1)
  write(writer)
  return Buffer.from(writer.view())
}

const edges = [0, 1, 127, 128, 16383, 16384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 1]

test.each(edges)('a varint of %d comes back', (value) => {
  const bytes = written((writer) => writer.varint(value))
  expect(new ByteReader(bytes).varint()).toBe(value)
  expect(bytes.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)))
})

test('any varint comes back', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      expect(new ByteReader(written((writer) => writer.varint(value))).varint()).toBe(value)
    })
  )
})

test('signed numbers come back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }), (value) => {
      expect(new ByteReader(written((writer) => writer.signed(value))).signed()).toBe(value)
    }),
    { examples: [[0], [-1], [1], [-64], [64], [-(2 ** 52) + 1], [2 ** 52 - 1]] }
  )
})

test('a small number of either sign takes one byte', () => {
  for (const value of [-64, -1, 0, 63]) expect(written((writer) => writer.signed(value)).length).toBe(1)
})

test('eight bytes hold every whole number below 2^53', () => {
  const buffer = Buffer.alloc(9)
  for (const value of edges) {
    expect(writeU64(buffer, value, 1)).toBe(9)
    expect(readU64(buffer, 1)).toBe(value)
    expect(buffer.readBigUInt64BE(1)).toBe(BigInt(value))
  }
})

test('text and bytes come back in order, whatever the first capacity', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, bytes) => {
      const reader = new ByteReader(
        written((writer) => {
          writer.text(text)
          writer.u8(7)
          writer.bytes(bytes)
          writer.u32(0xdeadbeef)
        })
      )
      expect(reader.text()).toBe(Buffer.from(text).toString())
      expect(reader.u8()).toBe(7)
      expect(reader.bytes(bytes.length)).toEqual(Buffer.from(bytes))
      expect(reader.bytes(4).toString('hex')).toBe('deadbeef')
    })
  )
})

test('reading past the end is a RangeError', () => {
  expect(() => new ByteReader(Buffer.alloc(0)).u8()).toThrow(RangeError)
  expect(() => new ByteReader(Buffer.from([0x80])).varint()).toThrow(RangeError)
  expect(() => new ByteReader(Buffer.from([5, 65])).text()).toThrow(RangeError)
  expect(() => new ByteReader(Buffer.alloc(3)).bytes(4)).toThrow(RangeError)
})

test('a varint without an end is a RangeError', () => {
  expect(() => new ByteReader(Buffer.alloc(20, 0xff)).varint()).toThrow(RangeError)
})
