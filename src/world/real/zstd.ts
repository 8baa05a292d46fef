import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { Zstd } from '../zstd.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** What comes out in one piece costs one turn of the event loop, and is not copied once more. */
const [COMPRESSED_BYTES, CONTENT_BYTES] = [1 << 16, (1 << 19) + 1]

export const realZstd: Zstd = {
  compress: (data) => compress(data, { chunkSize: COMPRESSED_BYTES }),
  decompress: (frame, maxBytes) => decompress(frame, { maxOutputLength: maxBytes, chunkSize: CONTENT_BYTES })
}
