import { join } from 'node:path'
import { UnderstudyError } from '../errors.ts'
import type { Frame } from '../journal/entry.ts'
import type { JournalReader, RangeQuery } from '../journal/reading.ts'
import type { Files } from '../world/files.ts'
import type { Encoded, Format } from './formats/format.ts'
import { NewFile } from './new-file.ts'
import { checkStreamName } from './stream-name.ts'

/** What an export has written. */
export interface ExportReport {
  readonly frames: number
  /** JSON messages. */
  readonly messages: number
  /** Parts of frames that are no JSON. */
  readonly others: number
  /** Frames whose payload was erased; what is left of them is exported. */
  readonly erased: number
  readonly bytes: number
  /** In order of their names; empty for an output stream. */
  readonly files: readonly string[]
}

export interface ExportOptions {
  readonly query: RangeQuery
  readonly format: Format
  /** Told after each batch: frames so far, and the position reached. May throw to end the export. */
  readonly progress?: (frames: number, position: number) => void
}

type Source = Pick<JournalReader, 'range' | 'streams'>

/**
 * Writes the frames of a period into a folder, one file a stream (`spin30.jsonl`; `spin30.other` for what the format
 * has no place for). A file appears under its name when all of them are whole and on the disk; nothing is left of an
 * export that fails.
 * @throws UNDERSTUDY_OUTPUT_EXISTS when one of the files is there already
 */
export async function exportToDirectory(
  files: Files,
  reader: Source,
  directory: string,
  options: ExportOptions
): Promise<ExportReport> {
  await files.makeDirectory(directory)
  await refuseExisting(files, directory, options.query.streams ?? (await reader.streams()))
  const total = new Totals()
  const open = new Map<string, NewFile>()
  const append = async (name: string, pieces: readonly Buffer[]): Promise<void> => {
    const data = Buffer.concat(pieces)
    if (data.length === 0) return
    let file = open.get(name)
    if (file === undefined) {
      file = await NewFile.create(files, join(directory, name))
      open.set(name, file)
    }
    await file.append(data)
  }
  try {
    for await (const frames of reader.range(options.query)) {
      for (const [stream, encoded] of byStream(frames, options.format, total)) {
        const lines = encoded.map((one) => one.lines)
        await append(`${stream}.jsonl`, lines)
        const other = encoded.map((one) => one.other)
        await append(`${stream}.other`, other)
      }
      options.progress?.(total.frames, frames.at(-1)?.position ?? 0)
    }
    for (const file of open.values()) await file.finish()
    await files.syncDirectory(directory)
  } catch (error) {
    for (const file of open.values()) await file.discard()
    throw error
  }
  return total.report([...open.keys()].sort())
}

/** Writes the frames of a period, of all streams in order of arrival, as one run of lines. What the format has no place for is counted only. */
export async function exportToOutput(
  write: (data: Buffer) => Promise<void>,
  reader: Source,
  options: ExportOptions
): Promise<ExportReport> {
  const total = new Totals()
  for await (const frames of reader.range(options.query)) {
    await write(Buffer.concat(frames.map((frame) => total.add(frame, options.format(frame)).lines)))
    options.progress?.(total.frames, frames.at(-1)?.position ?? 0)
  }
  return total.report([])
}

async function refuseExisting(files: Files, directory: string, streams: Iterable<string>): Promise<void> {
  for (const stream of streams) {
    for (const ending of ['jsonl', 'other']) {
      const name = `${checkStreamName(stream)}.${ending}`
      if (await files.info(join(directory, name))) throw new UnderstudyError('UNDERSTUDY_OUTPUT_EXISTS', name)
    }
  }
}

function byStream(frames: readonly Frame[], format: Format, total: Totals): Map<string, Encoded[]> {
  const streams = new Map<string, Encoded[]>()
  for (const frame of frames) {
    const encoded = total.add(frame, format(frame))
    const list = streams.get(frame.stream)
    if (list) list.push(encoded)
    else streams.set(checkStreamName(frame.stream), [encoded])
  }
  return streams
}

class Totals {
  frames = 0
  private messages = 0
  private others = 0
  private erased = 0
  private bytes = 0

  add(frame: Frame, encoded: Encoded): Encoded {
    this.frames++
    this.messages += encoded.messages
    this.others += encoded.others
    this.bytes += encoded.lines.length + encoded.other.length
    if (frame.erased) this.erased++
    return encoded
  }

  report(files: readonly string[]): ExportReport {
    const { frames, messages, others, erased, bytes } = this
    return { frames, messages, others, erased, bytes, files }
  }
}
