/**
 * Compression beside everything else: on this machine in threads of their own, so that it takes none of the time in
 * which messages are read.
 */
export interface Zstd {
  /** One frame of zstd. The data may not change until it resolves. */
  compress(data: Uint8Array): Promise<Buffer>
  /** Rejects when it is no zstd, or when more than `maxBytes` would come out. */
  decompress(frame: Uint8Array, maxBytes: number): Promise<Buffer>
}
