import type { Frame } from '../../journal/entry.ts'
import type { Compression } from '../compressed-file.ts'
import type { WrittenFile } from '../digests.ts'
import { NewFiles } from '../new-files.ts'
import { checkStreamName } from '../stream-name.ts'
import type { Encoded, FolderFormat, FolderWriter, Format, Parts } from './format.ts'

/**
 * One file a stream (`spin30.jsonl`), and `spin30.other` for what the format has no place for; with compression
 * `spin30.jsonl.zst` or `.gz`.
 */
export function lineFiles(format: Format, compression?: Compression): FolderFormat {
  return (files, directory) => new LineFiles(format, new NewFiles(files, directory, compression))
}

class LineFiles implements FolderWriter {
  readonly leftOut = 0
  readonly encodedNames = new Map()
  private readonly format: Format
  private readonly open: NewFiles

  constructor(format: Format, open: NewFiles) {
    this.format = format
    this.open = open
  }

  async write(frames: readonly Frame[]): Promise<readonly Parts[]> {
    const all: Encoded[] = []
    const streams = new Map<string, Encoded[]>()
    for (const frame of frames) {
      const encoded = this.format(frame)
      all.push(encoded)
      const list = streams.get(frame.stream)
      if (list) list.push(encoded)
      else streams.set(checkStreamName(frame.stream), [encoded])
    }
    for (const [stream, encoded] of streams) {
      await this.append(
        `${stream}.jsonl`,
        encoded.map((one) => one.lines)
      )
      await this.append(
        `${stream}.other`,
        encoded.map((one) => one.other)
      )
    }
    return all
  }

  finish(): Promise<readonly WrittenFile[]> {
    return this.open.finish()
  }

  discard(): Promise<void> {
    return this.open.discard()
  }

  private async append(name: string, pieces: readonly Buffer[]): Promise<void> {
    const data = Buffer.concat(pieces)
    if (data.length > 0) await this.open.append(name, data)
  }
}
