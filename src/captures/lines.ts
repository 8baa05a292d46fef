import type { OpenFile } from '../world/files.ts'

/** A line of a file, without its line break. `bytes` is absent when it was longer than allowed. */
export interface Line {
  /** Counted from 1. */
  readonly number: number
  readonly bytes: Buffer | undefined
}

const LF = 0x0a
const CR = 0x0d

/** Cuts bytes into lines, in batches as they come. A line over `maxBytes` is passed over without being kept. */
export async function* lines(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line[]> {
  let number = 0
  let pieces: Buffer[] = []
  let keptBytes = 0
  const add = (piece: Buffer): void => {
    keptBytes += piece.length
    if (keptBytes <= maxBytes) pieces.push(piece)
    else pieces = []
  }
  const line = (): Line => {
    const bytes = keptBytes <= maxBytes ? Buffer.concat(pieces) : undefined
    pieces = []
    keptBytes = 0
    return { number: ++number, bytes: bytes?.at(-1) === CR ? bytes.subarray(0, -1) : bytes }
  }
  for await (const chunk of chunks) {
    const data = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    const batch: Line[] = []
    let start = 0
    for (let end = data.indexOf(LF); end >= 0; end = data.indexOf(LF, start)) {
      add(data.subarray(start, end))
      batch.push(line())
      start = end + 1
    }
    if (start < data.length) add(Buffer.from(data.subarray(start)))
    yield batch
  }
  if (keptBytes > 0) yield [line()]
}

/** The content of a file, in pieces. Each is the reader's to keep. */
export async function* pieces(file: OpenFile, pieceBytes = 1 << 18): AsyncGenerator<Buffer> {
  let position = 0
  for (;;) {
    const piece = Buffer.allocUnsafe(pieceBytes)
    const count = await file.read(piece, position)
    if (count === 0) return
    position += count
    yield piece.subarray(0, count)
  }
}

/** The same bytes; tells how many have been taken. */
export async function* counted<T extends Uint8Array>(
  content: AsyncIterable<T>,
  tell?: (bytes: number) => void
): AsyncGenerator<T> {
  let bytes = 0
  for await (const piece of content) {
    bytes += piece.length
    yield piece
    tell?.(bytes)
  }
}
