import type { Frame } from '../journal/entry.ts'
import type { JournalReader, RangeQuery } from '../journal/reading.ts'
import type { Doors } from './compressed-file.ts'
import type { FolderFormat, Format, Parts } from './formats/format.ts'
import { JsonLines } from './formats/json-lines.ts'
import type { Privacy } from './privacy/privacy.ts'

/** What an export has written. */
export interface ExportReport extends Parts {
  readonly frames: number
  /** JSON messages that the format has no place for; 0 where it has one for all. */
  readonly leftOut: number
  /** Of what was written, before it was compressed as a whole. */
  readonly bytes: number
  /** Frames whose payload was erased; what is left of them is exported. */
  readonly erased: number
  /** Messages of users that were not wanted. */
  readonly filtered: number
  /** Parts of frames dropped because they cannot be searched for users. */
  readonly unsearchable: number
  /** In order of their names; empty for an output stream. */
  readonly files: readonly string[]
}

export interface ExportOptions {
  readonly query: RangeQuery
  /** What may be given away; everything when absent. */
  readonly privacy?: Privacy
  /** Told after each batch: frames so far, and the position reached. May throw to end the export. */
  readonly progress?: (frames: number, position: number) => void
}

type Source = Pick<JournalReader, 'range'>

/**
 * Writes the frames of a period into a folder, as files of a format. A file appears under its name when all of them are
 * whole and on the disk; nothing is left of an export that fails.
 * @throws UNDERSTUDY_OUTPUT_EXISTS when one of the files is there already
 */
export async function exportToDirectory(
  doors: Doors,
  reader: Source,
  directory: string,
  options: ExportOptions & { readonly format: FolderFormat }
): Promise<ExportReport> {
  const { files } = doors
  await files.makeDirectory(directory)
  const writer = options.format(doors, directory)
  try {
    const read = await eachBatch(reader, options, (frames) => writer.write(frames))
    const written = await writer.finish()
    await files.syncDirectory(directory)
    const bytes = written.reduce((sum, file) => sum + (file.uncompressed ?? file).bytes, 0)
    return { ...read, leftOut: writer.leftOut, bytes, files: written.map(({ name }) => name) }
  } catch (error) {
    await writer.discard()
    throw error
  }
}

/** Writes the frames of a period, of all streams in order of arrival, as one run of lines. What the format has no place for is counted only. */
export async function exportToOutput(
  write: (data: Buffer) => Promise<void>,
  reader: Source,
  options: ExportOptions & { readonly format: Format }
): Promise<ExportReport> {
  const lines = new JsonLines()
  const other = new JsonLines()
  let bytes = 0
  const read = await eachBatch(reader, options, async (frames) => {
    const parts = frames.map((frame) => options.format(frame, lines, other))
    bytes += lines.length
    await write(Buffer.from(lines.view()))
    lines.clear()
    other.clear()
    return parts
  })
  return { ...read, leftOut: 0, bytes, files: [] }
}

async function eachBatch(
  reader: Source,
  { query, privacy, progress }: ExportOptions,
  take: (frames: Frame[]) => Promise<readonly Parts[]>
): Promise<Omit<ExportReport, 'leftOut' | 'bytes' | 'files'>> {
  const read = { frames: 0, messages: 0, others: 0, erased: 0 }
  for await (const frames of reader.range(query)) {
    const parts = await take(privacy === undefined ? frames : frames.flatMap((frame) => privacy.frame(frame) ?? []))
    for (const { messages, others } of parts) {
      read.messages += messages
      read.others += others
    }
    read.frames += frames.length
    read.erased += frames.filter(({ erased }) => erased).length
    progress?.(read.frames, frames.at(-1)?.position ?? 0)
  }
  return { ...read, filtered: privacy?.filtered ?? 0, unsearchable: privacy?.unsearchable ?? 0 }
}
