import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Zstd } from '../zstd.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

export const realZstd: Zstd = {
  compress: (data) => compress(data),
  decompress: (frame, maxBytes) => decompress(frame, { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES })
}

/** What comes out in one piece is not copied once more. */
const CHUNK_BYTES = 1 << 20
