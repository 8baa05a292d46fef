/** The reversed polynomial of CRC-32C (Castagnoli), which LevelDB uses; `node:zlib` has only the other CRC-32. */
const POLYNOMIAL = 0x82f63b78
/** Bytes taken at once: each has a table of its own. */
const WIDTH = 8

const tables = Array.from({ length: WIDTH }, () => new Int32Array(256))
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  tables[0]![byte] = crc
}
for (let width = 1; width < WIDTH; width++) {
  for (let byte = 0; byte < 256; byte++) {
    const before = tables[width - 1]![byte]!
    tables[width]![byte] = (before >>> 8) ^ tables[0]![before & 0xff]!
  }
}
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array
]

/** CRC-32C of a part of a buffer, as an unsigned number. */
export function crc32c(data: Uint8Array, from = 0, to = data.length): number {
  let crc = -1
  let at = from
  for (const end = to - WIDTH; at <= end; at += WIDTH) {
    crc ^= data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)
    crc =
      t7[crc & 0xff]! ^
      t6[(crc >>> 8) & 0xff]! ^
      t5[(crc >>> 16) & 0xff]! ^
      t4[crc >>> 24]! ^
      t3[data[at + 4]!]! ^
      t2[data[at + 5]!]! ^
      t1[data[at + 6]!]! ^
      t0[data[at + 7]!]!
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ t0[(crc ^ data[at]!) & 0xff]!
  return ~crc >>> 0
}
