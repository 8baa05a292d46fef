import type { Frame } from '../../journal/entry.ts'
import type { Files } from '../../world/files.ts'
import type { Us } from '../../world/time.ts'
import { GatheredFiles } from '../gathered-files.ts'
import { checkStreamName } from '../stream-name.ts'
import { envelopeOf, frameParts } from './envelope.ts'
import type { FolderFormat, FolderWriter, FormatCounts } from './format.ts'
import { ParquetFile } from './parquet-file.ts'

/** Rows wait in memory up to so much, over all files. */
const WAITING_BYTES = 24 << 20

/**
 * Parquet with the columns of the envelope, one file a stream and day (`spin30-2026-11-21.parquet`), compressed by zstd.
 * @param dayOf what a moment's day is called in a file's name; none makes one file a stream. Default: the day in UTC
 */
export function parquet(dayOf: (us: Us) => string | undefined = utcDay): FolderFormat {
  return (files, directory) => new ParquetFiles(files, directory, dayOf)
}

function utcDay(us: Us): string {
  return new Date(us / 1000).toISOString().slice(0, 10)
}

class ParquetFiles implements FolderWriter {
  private readonly dayOf: (us: Us) => string | undefined
  private readonly written: GatheredFiles
  private readonly open = new Map<string, ParquetFile>()
  private waitingBytes = 0
  private messages = 0
  private others = 0
  private bytes = 0

  constructor(files: Files, directory: string, dayOf: (us: Us) => string | undefined) {
    this.dayOf = dayOf
    this.written = new GatheredFiles(files, directory)
  }

  get counts(): FormatCounts {
    const { messages, others, bytes } = this
    return { messages, others, leftOut: 0, bytes }
  }

  async write(frames: readonly Frame[]): Promise<void> {
    for (const frame of frames) {
      const file = this.file(frame)
      const before = file.waitingBytes
      for (const [index, part] of frameParts(frame.payload).entries()) {
        if (part.kind === 'json') this.messages++
        else this.others++
        file.add(envelopeOf(frame, index, part))
      }
      this.waitingBytes += file.waitingBytes - before
      if (this.waitingBytes > WAITING_BYTES) await this.writeLargest()
    }
  }

  async finish(): Promise<string[]> {
    for (const [name, file] of this.open) {
      if (file.waitingBytes > 0) await this.append(name, file.group())
      await this.append(name, file.end())
    }
    return this.written.finish()
  }

  discard(): Promise<void> {
    return this.written.discard()
  }

  private file({ stream, trueUs, wallUs }: Frame): ParquetFile {
    const day = this.dayOf(trueUs ?? wallUs)
    const name = `${[checkStreamName(stream), ...(day === undefined ? [] : [day])].join('-')}.parquet`
    let file = this.open.get(name)
    if (file === undefined) {
      file = new ParquetFile()
      this.open.set(name, file)
    }
    return file
  }

  private async writeLargest(): Promise<void> {
    const [[name, file]] = [...this.open].sort(([, a], [, b]) => b.waitingBytes - a.waitingBytes) as [
      [string, ParquetFile]
    ]
    this.waitingBytes -= file.waitingBytes
    await this.append(name, file.group())
  }

  private append(name: string, data: Buffer): Promise<void> {
    this.bytes += data.length
    return this.written.append(name, data)
  }
}
