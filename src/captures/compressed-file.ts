import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, crc32, createGunzip, deflateRawSync } from 'node:zlib'
import type { OpenFile } from '../world/files.ts'
import type { World } from '../world/world.ts'
import type { Zstd } from '../world/zstd.ts'
import { Digester, type Digests } from './digests.ts'
import { pieces } from './lines.ts'
import { zstdFrames } from './zstd-frames.ts'

export type Compression = 'zstd' | 'gzip'

/** What files of a folder are written and read through. */
export type Doors = Pick<World, 'files' | 'zstd'>

export const endings: Readonly<Record<Compression, string>> = { zstd: '.zst', gzip: '.gz' }

const nothing: Buffer = Buffer.alloc(0)
/** What is compressed at a time; longer is only what comes in one piece. */
const CHUNK_BYTES = 1 << 19
/** A chunk, and the longest line that may come on top of it. */
const MAX_CHUNK_BYTES = 64 << 20

const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
/** A last block of deflate, with nothing in it. */
const DEFLATE_END = Buffer.from([3, 0])

/**
 * A file that is written compressed, chunk by chunk: as one frame of zstd each, which every zstd reads one after the
 * other, or as one member of gzip, since browsers read only the first.
 */
export class CompressedFile {
  readonly #file: OpenFile
  readonly #zstd: Zstd
  readonly #compression: Compression
  readonly #stored = new Digester()
  readonly #plain = new Digester()
  /** What waits to be compressed is at its beginning. */
  #chunk: Buffer = nothing
  #waitingBytes = 0
  #sizeBytes = 0
  #crc = 0
  /** The chunk that is being compressed and written. */
  #writing: Promise<void> = Promise.resolve()

  private constructor(file: OpenFile, zstd: Zstd, compression: Compression) {
    this.#file = file
    this.#zstd = zstd
    this.#compression = compression
  }

  static async create({ files, zstd }: Doors, path: string, compression: Compression): Promise<CompressedFile> {
    const made = new CompressedFile(await files.open(path, 'create', 0o640), zstd, compression)
    if (compression === 'gzip') await made.#write(GZIP_HEADER)
    return made
  }

  /** Whole lines. */
  async append(data: Buffer): Promise<void> {
    if (this.#waitingBytes + data.length > CHUNK_BYTES) await this.flush()
    if (this.#waitingBytes === 0) this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, data.length))
    data.copy(this.#chunk, this.#waitingBytes)
    this.#waitingBytes += data.length
  }

  /** Bytes that wait to be compressed. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** What waits is compressed and written in a moment. Rejects where the chunk before it could not be. */
  async flush(): Promise<void> {
    if (this.#waitingBytes === 0) return
    const chunk = this.#chunk.subarray(0, this.#waitingBytes)
    this.#chunk = nothing
    this.#waitingBytes = 0
    this.#plain.update(chunk)
    const compressed = this.#compress(chunk)
    const before = this.#writing
    this.#writing = before.then(async () => {
      const stored = await compressed
      free(chunk)
      await this.#write(stored)
    })
    // Whoever writes next, or finishes, is told.
    this.#writing.catch(() => {})
    await before
  }

  /** Writes what is left, syncs and closes. */
  async finish(): Promise<Digests> {
    await this.flush()
    await this.#writing
    if (this.#compression === 'gzip') {
      const trailer = Buffer.alloc(8)
      trailer.writeUInt32LE(this.#crc, 0)
      trailer.writeUInt32LE(this.#plain.bytes % 2 ** 32, 4)
      await this.#write(Buffer.concat([DEFLATE_END, trailer]))
    }
    await this.#file.sync()
    await this.#file.close()
    return { ...this.#stored.digests(), uncompressed: this.#plain.digests() }
  }

  async abandon(): Promise<void> {
    await this.#writing.catch(() => {})
    await this.#file.close().catch(() => {})
  }

  async #compress(chunk: Buffer): Promise<Buffer> {
    if (this.#compression === 'zstd') return this.#zstd.compress(chunk)
    this.#crc = crc32(chunk, this.#crc)
    return deflateRawSync(chunk, { finishFlush: constants.Z_SYNC_FLUSH })
  }

  async #write(data: Buffer): Promise<void> {
    this.#stored.update(data)
    await this.#file.write(data, this.#sizeBytes)
    this.#sizeBytes += data.length
  }
}

/**
 * Reads a file back to its end, and gives its digests.
 * @param visit told the content, piece by piece; each is its own until it resolves
 * @throws when it cannot be decompressed
 */
export async function readCompressed(
  { files, zstd }: Doors,
  path: string,
  compression: Compression | undefined,
  visit: (content: Buffer) => void | Promise<void> = () => {}
): Promise<Digests> {
  const stored = new Digester()
  const plain = compression && new Digester()
  const file = await files.open(path, 'read')
  try {
    for await (const content of decompressed(zstd, noted(pieces(file), stored), compression)) {
      plain?.update(content)
      await visit(content)
      if (compression === 'zstd') free(content)
    }
  } finally {
    await file.close()
  }
  return { ...stored.digests(), ...(plain && { uncompressed: plain.digests() }) }
}

/** By the ending of a file's name. */
export function compressionOf(name: string): Compression | undefined {
  return name.endsWith(endings.zstd) ? 'zstd' : name.endsWith(endings.gzip) ? 'gzip' : undefined
}

/** What comes out of stored bytes. @throws when they cannot be decompressed */
export function decompressed(
  zstd: Zstd,
  stored: AsyncGenerator<Buffer>,
  compression: Compression | undefined
): AsyncIterable<Buffer> {
  if (compression === undefined) return stored
  return compression === 'gzip' ? gunzip(stored) : unzstd(zstd, stored)
}

function gunzip(stored: AsyncGenerator<Buffer>): AsyncIterable<Buffer> {
  const stream = createGunzip()
  // Whoever reads from it is told of its errors.
  pipeline(Readable.from(stored), stream).catch(() => {})
  return stream
}

/** While one frame's content is used, the next is being decompressed. */
async function* unzstd(zstd: Zstd, stored: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  let before: Promise<Buffer> | undefined
  for await (const frame of zstdFrames(stored, MAX_CHUNK_BYTES)) {
    const content = zstd.decompress(frame, MAX_CHUNK_BYTES)
    // Whoever asks for it is told.
    content.catch(() => {})
    if (before) yield await before
    before = content
  }
  if (before) yield await before
}

/**
 * Gives back the memory of a buffer that nobody uses any more. Left to the collector, a hundred of half a megabyte would
 * wait: it hardly sees what is not on its heap.
 */
function free({ buffer }: Buffer): void {
  // Small ones are cut from a pool that many share.
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0)
}

async function* noted(stored: AsyncGenerator<Buffer>, digester: Digester): AsyncGenerator<Buffer> {
  for await (const piece of stored) {
    digester.update(piece)
    yield piece
  }
}
