import { crc32c } from './crc32c.ts'

/*
 * A LevelDB table (.ldb) is blocks, each followed by a trailer, then a footer. A trailer is u8 compression and u32 the
 * masked CRC-32C of block and compression. The footer says where the index block and the metaindex block lie, which say
 * where the others lie. A handle is varint offset, varint size. Numbers are little-endian.
 */
const FOOTER_BYTES = 48
const TRAILER_BYTES = 5
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const MASK = 0xa282ead8
/** LevelDB's own part of a key. */
const INTERNAL_BYTES = 8

interface Handle {
  readonly offset: number
  readonly size: number
}

/** Whether every checksum in a table is right. */
export function isWholeTable(content: Buffer): boolean {
  try {
    const footer = content.subarray(content.length - FOOTER_BYTES)
    if (footer.length < FOOTER_BYTES || !footer.subarray(-MAGIC.length).equals(MAGIC)) return false
    const metaindex = readHandle(footer, 0)
    const index = readHandle(footer, metaindex.next)
    // No hole between them that nothing vouches for.
    let end = 0
    for (const value of values(block(content, index))) {
      const handle = readHandle(value, 0)
      if (handle.offset !== end) return false
      block(content, handle)
      end += handle.size + TRAILER_BYTES
    }
    const meta = values(block(content, metaindex)).map((value) => readHandle(value, 0))
    for (const handle of meta) block(content, handle)
    return true
  } catch {
    return false
  }
}

/**
 * What may be values in a table that has lost its structure, in the order of the file. Most are none: the values' own
 * checksums must tell.
 */
export function* fragments(content: Buffer, keyBytes: number): Generator<Buffer> {
  const internalKeyBytes = keyBytes + INTERNAL_BYTES
  for (let at = 0; at + 3 < content.length; at++) {
    // An entry: bytes of its key shared with the one before, bytes that are not, length of the value, key, value.
    if (content[at]! + content[at + 1]! !== internalKeyBytes) continue
    const length = readVarint(content, at + 2)
    if (!length) continue
    const from = length.next + content[at + 1]!
    const to = from + length.value
    if (to <= content.length) yield content.subarray(from, to)
  }
}

/** The content of a block whose checksum is right. */
function block(content: Buffer, { offset, size }: Handle): Buffer {
  const end = offset + size
  const stored = content.readUInt32LE(end + 1)
  const crc = crc32c(content, offset, end + 1)
  if ((((crc >>> 15) | (crc << 17)) + MASK) >>> 0 !== stored) throw new RangeError('a checksum is wrong')
  return content.subarray(offset, end)
}

function values(block: Buffer): Buffer[] {
  const restarts = block.readUInt32LE(block.length - 4)
  const end = block.length - 4 * (restarts + 1)
  const found: Buffer[] = []
  for (let at = 0; at < end; ) {
    const shared = varint(block, at)
    const own = varint(block, shared.next)
    const length = varint(block, own.next)
    const from = length.next + own.value
    at = from + length.value
    found.push(block.subarray(from, at))
  }
  return found
}

function readHandle(from: Buffer, at: number): Handle & { next: number } {
  const offset = varint(from, at)
  const size = varint(from, offset.next)
  return { offset: offset.value, size: size.value, next: size.next }
}

function varint(from: Buffer, at: number): { value: number; next: number } {
  const read = readVarint(from, at)
  if (!read) throw new RangeError('a number is damaged')
  return read
}

/** At most 5 bytes: no table or log is larger. */
export function readVarint(from: Buffer, at: number): { value: number; next: number } | undefined {
  let value = 0
  for (let index = 0; index < 5; index++) {
    const byte = from[at + index]
    if (byte === undefined) return
    value += (byte & 0x7f) * 128 ** index
    if (byte < 0x80) return { value, next: at + index + 1 }
  }
  return
}
