import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { Zstd } from '../zstd.ts'

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** What comes out in one piece costs one turn of the event loop, and is not copied once more. */
const [COMPRESSED_BYTES, CONTENT_BYTES] = [1 << 16, (1 << 19) + 1]

/** Sealed lines become no larger by the first level than by the third, zstd's default, and cost an eighth less. */
const fast = { [constants.ZSTD_c_compressionLevel]: 1 }

export const realZstd: Zstd = {
  compress: (data) => compress(data, { chunkSize: COMPRESSED_BYTES, params: fast }),
  decompress: (frame, maxBytes) => decompress(frame, { maxOutputLength: maxBytes, chunkSize: CONTENT_BYTES })
}
