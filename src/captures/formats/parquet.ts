import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Frame } from '../../journal/entry.ts'
import type { Files } from '../../world/files.ts'
import type { Us } from '../../world/time.ts'
import type { WrittenFile } from '../digests.ts'
import { GatheredFiles } from '../gathered-files.ts'
import { pieces } from '../lines.ts'
import { checkStreamName } from '../stream-name.ts'
import { zstdFrames } from '../zstd-frames.ts'
import { type Envelope, envelope } from './envelope.ts'
import type { FolderFormat, FolderWriter, Parts } from './format.ts'
import { JsonLines } from './json-lines.ts'
import { ParquetFile } from './parquet-file.ts'

/** The rows of a group take about so much memory. */
const GROUP_BYTES = 4 << 20
/** More than the longest line, or than all that is compressed at once. */
const MAX_CHUNK_BYTES = 128 << 20

/**
 * Parquet with the columns of the envelope, one file a stream and day (`spin30-2026-11-21.parquet`), compressed by zstd.
 * @param dayOf what a moment's day is called in a file's name; none makes one file a stream. Default: the day in UTC
 */
export function parquet(dayOf: (us: Us) => string | undefined = utcDay): FolderFormat {
  return ({ files }, directory) => new ParquetFiles(files, directory, dayOf)
}

function utcDay(us: Us): string {
  return new Date(us / 1000).toISOString().slice(0, 10)
}

/**
 * Row groups have to be large, and there may be many files: so the rows wait on the disk, as compressed lines with
 * envelope, and one file after the other is made of them at the end.
 */
class ParquetFiles implements FolderWriter {
  readonly leftOut = 0
  readonly encodedNames = new Map()
  private readonly files: Files
  private readonly dayOf: (us: Us) => string | undefined
  private readonly rows: GatheredFiles
  private readonly written: GatheredFiles
  /** Of the frames that are being written, by the file's name. */
  private readonly lines = new Map<string, JsonLines>()

  constructor(files: Files, directory: string, dayOf: (us: Us) => string | undefined) {
    this.files = files
    this.dayOf = dayOf
    this.rows = new GatheredFiles(files, directory, (data) => zstdCompressSync(data))
    this.written = new GatheredFiles(files, directory)
  }

  async write(frames: readonly Frame[]): Promise<readonly Parts[]> {
    const parts = frames.map((frame) => {
      const name = this.nameOf(frame)
      const lines = this.lines.get(name) ?? new JsonLines()
      this.lines.set(name, lines)
      return envelope(frame, lines, lines)
    })
    for (const [name, lines] of this.lines) {
      if (lines.length === 0) continue
      await this.rows.append(name, Buffer.from(lines.view()))
      lines.clear()
    }
    return parts
  }

  async finish(pause = async (): Promise<void> => {}): Promise<readonly WrittenFile[]> {
    await this.rows.flush()
    for (const name of this.rows.names) await this.convert(name, pause)
    const written = await this.written.finish()
    await this.rows.discard()
    return written
  }

  async discard(): Promise<void> {
    await this.rows.discard()
    await this.written.discard()
  }

  private nameOf({ stream, trueUs, wallUs }: Frame): string {
    const day = this.dayOf(trueUs ?? wallUs)
    return day === undefined ? checkStreamName(stream) : `${checkStreamName(stream)}-${day}`
  }

  private async convert(name: string, pause: () => Promise<void>): Promise<void> {
    const made = new ParquetFile()
    const append = (data: Buffer): Promise<void> => this.written.append(`${name}.parquet`, data)
    for await (const row of this.rowsOf(name)) {
      made.add(row)
      if (made.waitingBytes < GROUP_BYTES) continue
      await append(made.group())
      await pause()
    }
    if (made.waitingBytes > 0) await append(made.group())
    await append(made.end())
  }

  private async *rowsOf(name: string): AsyncGenerator<Envelope> {
    const file = await this.files.open(this.rows.temporary(name), 'read')
    try {
      for await (const frame of zstdFrames(pieces(file), MAX_CHUNK_BYTES)) {
        const lines = zstdDecompressSync(frame, { maxOutputLength: MAX_CHUNK_BYTES })
        for (let start = 0; start < lines.length; ) {
          const end = lines.indexOf(LF, start)
          yield JSON.parse(lines.toString('utf8', start, end))
          start = end + 1
        }
      }
    } finally {
      await file.close()
    }
  }
}

const LF = 0x0a
