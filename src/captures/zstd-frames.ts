const MAGIC = 0xfd2fb528
/** Bytes of the dictionary's number and of the content's size, by their codes in the frame's descriptor (RFC 8878). */
const DICTIONARY_BYTES = [0, 1, 2, 4]
const CONTENT_BYTES = [0, 2, 4, 8]

/**
 * Cuts what holds one frame of zstd after the other into its frames, without decompressing anything.
 * @throws when it is no zstd, ends within a frame, or has a frame larger than `maxBytes`
 */
export async function* zstdFrames(stored: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let neededBytes = 1
  for await (const piece of stored) {
    waiting.push(piece)
    waitingBytes += piece.length
    if (waitingBytes < neededBytes) continue
    rest = Buffer.concat(waiting)
    let start = 0
    for (;;) {
      const found = frameBytes(rest.subarray(start))
      if (!found.whole) {
        neededBytes = found.bytes
        break
      }
      yield rest.subarray(start, start + found.bytes)
      start += found.bytes
    }
    if (neededBytes > maxBytes) throw new Error('a frame is too large')
    waiting = [rest.subarray(start)]
    waitingBytes = rest.length - start
  }
  if (waitingBytes > 0) throw new Error('it ends within a frame')
}

/** How long the frame is that these bytes begin with, or how many bytes are needed to tell more. */
function frameBytes(bytes: Buffer): { readonly whole: boolean; readonly bytes: number } {
  const HEADER_BYTES = 5
  if (bytes.length < HEADER_BYTES) return { whole: false, bytes: HEADER_BYTES }
  if (bytes.readUInt32LE(0) !== MAGIC) throw new Error('it is not zstd')
  const descriptor = bytes[4]!
  const single = (descriptor & 0x20) !== 0
  const contentBytes = descriptor >> 6 === 0 ? (single ? 1 : 0) : CONTENT_BYTES[descriptor >> 6]!
  let at = HEADER_BYTES + (single ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]! + contentBytes
  for (let last = false; !last; ) {
    if (bytes.length < at + 3) return { whole: false, bytes: at + 3 }
    const header = bytes.readUIntLE(at, 3)
    last = (header & 1) === 1
    // A run is one byte, repeated.
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3)
  }
  const end = at + ((descriptor & 4) !== 0 ? 4 : 0)
  return { whole: bytes.length >= end, bytes: end }
}
