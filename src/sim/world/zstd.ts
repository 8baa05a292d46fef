import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Zstd } from '../../world/zstd.ts'

/** Done at once: nothing real is waited for in a simulated world. */
export const simulatedZstd: Zstd = {
  compress: async (data) => zstdCompressSync(data),
  decompress: async (frame, maxBytes) => zstdDecompressSync(frame, { maxOutputLength: maxBytes })
}
