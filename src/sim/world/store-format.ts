import { crc32 } from 'node:zlib'
import type { Operation } from '../../world/stores.ts'

/**
 * The files of a simulated store, after LevelDB's:
 * - CURRENT: the manifest's name and a line feed
 * - MANIFEST-n, n.log: records of crc32 u32, length u32, payload; a manifest's payload is JSON, a log's is operations
 * - n.ldb: `magic`, operations, their count u32, `magic`; no checksum, as LevelDB does not look at its own unless told to
 *
 * An operation: type u8 (1 put, 0 del), length of the key u16, of the value u32, key, value.
 */
const magic = Buffer.from('SIMTABLE')
const operationHeader = 7
const recordHeader = 8

export type StoredOperation = readonly [key: Buffer, value: Buffer | undefined]

/** What a manifest's record says: the tables from the oldest to the newest, and the log that goes on from there. */
export interface Edition {
  readonly tables: readonly number[]
  readonly log: number
  readonly next: number
}

export function encodeOperations(operations: readonly Operation[]): Buffer {
  let size = 0
  for (const operation of operations) {
    size += operationHeader + operation.key.length + (operation.type === 'put' ? operation.value.length : 0)
  }
  const bytes = Buffer.allocUnsafe(size)
  let at = 0
  for (const operation of operations) {
    const value = operation.type === 'put' ? operation.value : undefined
    bytes[at] = value ? 1 : 0
    bytes.writeUInt16LE(operation.key.length, at + 1)
    bytes.writeUInt32LE(value?.length ?? 0, at + 3)
    at += operationHeader
    bytes.set(operation.key, at)
    at += operation.key.length
    if (value) bytes.set(value, at)
    at += value?.length ?? 0
  }
  return bytes
}

/** The operations up to the first that cannot be one; the buffers are part of `bytes`. `whole`: there was none such. */
export function decodeOperations(bytes: Buffer): { operations: StoredOperation[]; whole: boolean } {
  const operations: StoredOperation[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + operationHeader > bytes.length || bytes[at]! > 1) return { operations, whole: false }
    const keyEnd = at + operationHeader + bytes.readUInt16LE(at + 1)
    const valueEnd = keyEnd + bytes.readUInt32LE(at + 3)
    if (valueEnd > bytes.length) return { operations, whole: false }
    const value = bytes[at] === 1 ? bytes.subarray(keyEnd, valueEnd) : undefined
    operations.push([bytes.subarray(at + operationHeader, keyEnd), value])
    at = valueEnd
  }
  return { operations, whole: true }
}

export function encodeRecord(payload: Buffer): Buffer {
  const record = Buffer.allocUnsafe(recordHeader + payload.length)
  record.writeUInt32LE(crc32(payload), 0)
  record.writeUInt32LE(payload.length, 4)
  record.set(payload, recordHeader)
  return record
}

/** The records up to the first bad one. `flaw`: what ended them, if not the end of the file. */
export function decodeRecords(bytes: Buffer): { payloads: Buffer[]; flaw?: 'short' | 'wrong' } {
  const payloads: Buffer[] = []
  let at = 0
  while (at < bytes.length) {
    if (at + recordHeader > bytes.length) return { payloads, flaw: 'short' }
    const end = at + recordHeader + bytes.readUInt32LE(at + 4)
    if (end > bytes.length) return { payloads, flaw: 'short' }
    const payload = bytes.subarray(at + recordHeader, end)
    // A payload of zeros has a crc of its own; a record of zeros is space that was never written.
    if (payload.length === 0 || crc32(payload) !== bytes.readUInt32LE(at)) return { payloads, flaw: 'wrong' }
    payloads.push(payload)
    at = end
  }
  return { payloads }
}

export function encodeTable(operations: Buffer, count: number): Buffer {
  const counted = Buffer.alloc(4)
  counted.writeUInt32LE(count)
  return Buffer.concat([magic, operations, counted, magic])
}

/** As `decodeOperations`. */
export function decodeTable(bytes: Buffer): { operations: StoredOperation[]; whole: boolean } {
  const framed =
    bytes.length >= 2 * magic.length + 4 &&
    bytes.subarray(0, magic.length).equals(magic) &&
    bytes.subarray(-magic.length).equals(magic)
  const decoded = decodeOperations(bytes.subarray(magic.length, framed ? -magic.length - 4 : undefined))
  const whole =
    framed && decoded.whole && bytes.readUInt32LE(bytes.length - magic.length - 4) === decoded.operations.length
  return { operations: decoded.operations, whole }
}
