import { readVarint } from './tables.ts'

/*
 * A LevelDB log (.log) is blocks of 32 kB, each of records: u32 masked CRC-32C, u16 length, u8 type, content. What does
 * not fit into a block goes on in the next. The contents of records are batches: u64, u32, then for each pair that is
 * put u8 1, varint length of the key, key, varint length of the value, value. Numbers are little-endian.
 */
const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const PUT = 1

/**
 * What may be values in a log, in the order of the file, also behind what is damaged. Most are none: the values' own
 * checksums must tell. Some come twice.
 */
export function* logFragments(log: Buffer, keyBytes: number): Generator<Buffer> {
  yield* putsIn(contents(log), keyBytes)
  // Where the length of a record is damaged, those behind it are still to be found where they stand.
  yield* putsIn(log, keyBytes)
}

/** The records without their headers, one after the other. */
function contents(log: Buffer): Buffer {
  const found: Buffer[] = []
  for (let from = 0; from < log.length; from += BLOCK_BYTES) {
    const block = log.subarray(from, from + BLOCK_BYTES)
    for (let at = 0; at + HEADER_BYTES < block.length; ) {
      const end = at + HEADER_BYTES + block.readUInt16LE(at + 4)
      found.push(block.subarray(at + HEADER_BYTES, end))
      at = end
    }
  }
  return Buffer.concat(found)
}

function* putsIn(content: Buffer, keyBytes: number): Generator<Buffer> {
  const start = Buffer.of(PUT, keyBytes)
  for (let at = content.indexOf(start); at !== -1; at = content.indexOf(start, at + 1)) {
    const length = readVarint(content, at + start.length + keyBytes)
    if (!length) continue
    const end = length.next + length.value
    if (end <= content.length) yield content.subarray(length.next, end)
  }
}
