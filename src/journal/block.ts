import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { UnderstudyError } from '../errors.ts'
import type { Us } from '../world/time.ts'
import { type Part, readBody, writeBody } from './body.ts'
import { readU64, writeU64 } from './bytes.ts'
import type { Entry, Position } from './entry.ts'

/*
 * A block is the value of one LevelDB pair. All numbers are big-endian.
 *
 *   0  u8   format of the block, 1
 *   1  u8   compression of the body: 0 none, 1 zstd
 *   2  u16  number of the zstd dictionary, 0 for none
 *   4  u32  CRC-32 of everything else
 *   8  u64  position of the first entry
 *  16  u32  count of entries
 *  20  u32  length of the body before compression
 *  24  u64  earliest wall time in it, µs
 *  32  u64  latest wall time in it, µs
 *  40  32 bytes  chain before
 *  72  32 bytes  chain after
 * 104  body (see body.ts)
 */
const FORMAT = 1
const HEADER_BYTES = 104

/** Compressing costs more than it gives below this. */
const COMPRESS_FROM_BYTES = 64
/** A body of up to so much is decompressed into one buffer, a larger one (of a single large frame) in pieces. */
const WHOLE_BYTES = 1024 * 1024

export interface Span {
  readonly firstPosition: Position
  readonly earliestUs: Us
  readonly latestUs: Us
}

export interface BlockHeader extends Span {
  readonly count: number
  readonly bodyBytes: number
  readonly chainBefore: Buffer
  readonly chainAfter: Buffer
}

/** The zstd dictionaries a store knows, by number. */
export type Dictionaries = ReadonlyMap<number, Buffer>

/** A block as it is found in a store, perhaps damaged. */
export interface StoredBlock {
  /** Number of the store. */
  readonly store: number
  /** As its key says. */
  readonly firstPosition: Position
  readonly value: Buffer
  readonly dictionaries: Dictionaries
  /** Where it has been read already, and with it the checksum proved. */
  readonly header?: BlockHeader
}

/** A block whose checksum is right. */
export interface WholeBlock extends StoredBlock {
  readonly header: BlockHeader
}

/**
 * @param parts what each commit put into it, in order of position; at least one entry in all
 * @param dictionary number of the dictionary to use, 0 for none
 */
export function encodeBlock(
  parts: readonly Part[],
  chainBefore: Buffer,
  chainAfter: Buffer,
  dictionaries: Dictionaries,
  dictionary: number
): Span & { value: Buffer } {
  const body = writeBody(parts)
  const compressed = body.length >= COMPRESS_FROM_BYTES
  const stored = compressed ? compress(body, dictionaries.get(dictionary)) : body
  if (compressed && body.length <= RECENT_BYTES) remember(crc32(stored), stored, dictionary, body)
  let count = 0
  let earliestUs = Number.MAX_SAFE_INTEGER
  // A clock may stand before 1970; the span of a block starts there at the earliest.
  let latestUs = 0
  for (const part of parts) {
    count += part.entries.length
    for (const { wallUs } of part.entries) {
      if (wallUs < earliestUs) earliestUs = Math.max(0, wallUs)
      if (wallUs > latestUs) latestUs = wallUs
    }
  }
  const firstPosition = parts[0]!.entries[0]!.position
  const block = Buffer.allocUnsafe(HEADER_BYTES + stored.length)
  block[0] = FORMAT
  block[1] = compressed ? 1 : 0
  block.writeUInt16BE(compressed ? dictionary : 0, 2)
  writeU64(block, firstPosition, 8)
  block.writeUInt32BE(count, 16)
  block.writeUInt32BE(body.length, 20)
  writeU64(block, earliestUs, 24)
  writeU64(block, latestUs, 32)
  chainBefore.copy(block, 40)
  chainAfter.copy(block, 72)
  stored.copy(block, HEADER_BYTES)
  block.writeUInt32BE(checksum(block), 4)
  return { value: block, firstPosition, earliestUs, latestUs }
}

/** Whether bytes begin as a block does; only its checksum tells whether they are one. */
export function mayBeBlock(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes[0] === FORMAT && bytes[1]! <= 1
}

/** Where a block's first entry stands by what it says itself. */
export function blockPosition(block: Buffer): Position {
  return readU64(block, 8)
}

/** One above its last entry, by what it says itself. */
export function blockEnd(block: Buffer): Position {
  return blockPosition(block) + block.readUInt32BE(16)
}

/** The header of a block whose checksum is right. @throws UNDERSTUDY_BLOCK_DAMAGED, UNDERSTUDY_STORE_NEWER */
export function readHeader(block: Buffer): BlockHeader {
  if (block.length < HEADER_BYTES || block.readUInt32BE(4) !== checksum(block)) {
    throw new UnderstudyError('UNDERSTUDY_BLOCK_DAMAGED', 'its checksum is wrong')
  }
  if (block[0] !== FORMAT) throw new UnderstudyError('UNDERSTUDY_STORE_NEWER', `block format ${block[0]}`)
  return {
    firstPosition: readU64(block, 8),
    count: block.readUInt32BE(16),
    bodyBytes: block.readUInt32BE(20),
    earliestUs: readU64(block, 24),
    latestUs: readU64(block, 32),
    chainBefore: block.subarray(40, 72),
    chainAfter: block.subarray(72, HEADER_BYTES)
  }
}

/**
 * The entries of a block, in order of position. Payloads are views onto one buffer made for this call.
 * @param wanted which frames to give, and no events; everything when absent
 * @throws UNDERSTUDY_BLOCK_DAMAGED, UNDERSTUDY_STORE_NEWER
 */
export function readEntries(block: StoredBlock, wanted?: ReadonlySet<string>): Entry[] {
  return partsOf(block, readAgain, wanted).flatMap((part) => part.entries)
}

/** All of it, by commits, with the salts that prove them. */
export function readParts(block: StoredBlock): Part[] {
  return partsOf(block, decompress)
}

function partsOf(block: StoredBlock, decompress: Decompress, wanted?: ReadonlySet<string>): Part[] {
  const { value, dictionaries } = block
  const header = block.header ?? readHeader(value)
  try {
    if (header.firstPosition !== block.firstPosition) throw new Error('it stands under another key')
    const stored = value.subarray(HEADER_BYTES)
    const body = value[1] === 1 ? decompress(stored, header.bodyBytes, value.readUInt16BE(2), dictionaries) : stored
    return readBody(body, header.firstPosition, header.count, wanted)
  } catch (error) {
    // The checksum was right: this is not what the disk did to it, but a reader must not die of it either.
    throw new UnderstudyError('UNDERSTUDY_BLOCK_DAMAGED', `at position ${header.firstPosition}`, { cause: error })
  }
}

function checksum(block: Buffer): number {
  return crc32(block.subarray(8), crc32(block.subarray(0, 4)))
}

const fast = { [constants.ZSTD_c_compressionLevel]: 1 }

function compress(body: Buffer, dictionary: Buffer | undefined): Buffer {
  return zstdCompressSync(body, dictionary ? { params: fast, dictionary } : { params: fast })
}

type Decompress = (stored: Buffer, bodyBytes: number, number: number, dictionaries: Dictionaries) => Buffer

/** What small blocks last written or read come to, under their checksums: several read each new block, one after the other. */
const recent = new Map<number, { readonly stored: Buffer; readonly number: number; readonly body: Buffer }>()
const RECENT_BLOCKS = 64
const RECENT_BYTES = 8 * 1024

/** As `decompress`, but what has just been decompressed is not decompressed again. */
const readAgain: Decompress = (stored, bodyBytes, number, dictionaries) => {
  if (bodyBytes > RECENT_BYTES) return decompress(stored, bodyBytes, number, dictionaries)
  const sum = crc32(stored)
  const known = recent.get(sum)
  // Its own each time: who keeps a part of it does not keep what others read.
  if (known?.number === number && known.body.length === bodyBytes && known.stored.equals(stored)) {
    return Buffer.from(known.body)
  }
  const body = decompress(stored, bodyBytes, number, dictionaries)
  remember(sum, stored, number, body)
  return body
}

function remember(sum: number, stored: Buffer, number: number, body: Buffer): void {
  recent.set(sum, { stored: Buffer.from(stored), number, body: Buffer.from(body) })
  if (recent.size > RECENT_BLOCKS) recent.delete(recent.keys().next().value!)
}

function decompress(stored: Buffer, bodyBytes: number, number: number, dictionaries: Dictionaries): Buffer {
  const dictionary = dictionaries.get(number)
  if (number !== 0 && !dictionary) throw new Error(`dictionary ${number} is missing`)
  // One byte more than the body fills one buffer of its size; what the block says of it is not to be trusted.
  const chunkSize = Math.min(Math.max(64, bodyBytes + 1), WHOLE_BYTES)
  const options = { maxOutputLength: bodyBytes, chunkSize }
  return zstdDecompressSync(stored, dictionary ? { ...options, dictionary } : options)
}
