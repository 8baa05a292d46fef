import type { Frame } from '../../journal/entry.ts'
import type { Compression } from '../compressed-file.ts'
import type { WrittenFile } from '../digests.ts'
import { NewFiles } from '../new-files.ts'
import { checkStreamName } from '../stream-name.ts'
import type { FolderFormat, FolderWriter, Format, Parts } from './format.ts'
import { JsonLines } from './json-lines.ts'

/**
 * One file a stream (`spin30.jsonl`), and `spin30.other` for what the format has no place for; with compression
 * `spin30.jsonl.zst` or `.gz`.
 */
export function lineFiles(format: Format, compression?: Compression): FolderFormat {
  return (doors, directory) => new LineFiles(format, new NewFiles(doors, directory, compression))
}

interface StreamLines {
  readonly lines: JsonLines
  readonly other: JsonLines
}

class LineFiles implements FolderWriter {
  readonly leftOut = 0
  readonly encodedNames = new Map()
  private readonly format: Format
  private readonly open: NewFiles
  private readonly streams = new Map<string, StreamLines>()

  constructor(format: Format, open: NewFiles) {
    this.format = format
    this.open = open
  }

  async write(frames: readonly Frame[]): Promise<readonly Parts[]> {
    const parts = frames.map((frame) => {
      const { lines, other } = this.linesOf(frame.stream)
      return this.format(frame, lines, other)
    })
    for (const [stream, { lines, other }] of this.streams) {
      await this.append(`${stream}.jsonl`, lines)
      await this.append(`${stream}.other`, other)
    }
    return parts
  }

  finish(): Promise<readonly WrittenFile[]> {
    return this.open.finish()
  }

  discard(): Promise<void> {
    return this.open.discard()
  }

  private linesOf(stream: string): StreamLines {
    let found = this.streams.get(stream)
    if (!found) {
      found = { lines: new JsonLines(), other: new JsonLines() }
      this.streams.set(checkStreamName(stream), found)
    }
    return found
  }

  private async append(name: string, lines: JsonLines): Promise<void> {
    if (lines.length === 0) return
    await this.open.append(name, lines.view())
    lines.clear()
  }
}
