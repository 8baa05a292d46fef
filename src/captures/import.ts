import type { Frame } from '../journal/entry.ts'
import type { JournalReader } from '../journal/reading.ts'
import { EnvelopeReader, envelopeLookup } from './import-envelope.ts'
import { PlainReader, plainLookup } from './import-plain.ts'
import { Known } from './known.ts'
import { counted, type Line, lines } from './lines.ts'
import { checkStreamName } from './stream-name.ts'

/** A frame to be recorded under its true time, as a range gives it; the journal gives it its position and number. */
export type ImportedFrame = Omit<Frame, 'kind' | 'position' | 'seq' | 'erased'>

/** Where an import looks up what is known and puts what is not. */
export interface ImportTarget extends Pick<JournalReader, 'range' | 'firstPosition' | 'nextPosition'> {
  /** Resolves when more can be taken; rejects when they were not. */
  append(frames: readonly ImportedFrame[]): Promise<void>
  /** Resolves when everything appended is on the disk. */
  commit(): Promise<void>
}

export interface ImportReport {
  readonly lines: number
  /** Frames of an envelope export, or messages of a plain file. */
  readonly found: number
  /** Those the journal held already. */
  readonly known: number
  readonly appended: number
  /** Lines that are not of the format, or not wholly. */
  readonly bad: number
  /** The numbers of the first of them. */
  readonly badLines: readonly number[]
}

/** Something to append unless it is known. */
export interface Candidate {
  readonly frame: ImportedFrame
  readonly fingerprint: bigint
}

/** What lines became. */
export interface Read {
  readonly candidates: readonly Candidate[]
  /** Lines that are not of the format, or not wholly. */
  readonly bad: number
}

/** Makes frames of lines. */
export interface LineReader {
  read(line: Line): Read
  /** What is left at the end of the file. */
  end(): Read
}

export interface ImportOptions {
  /** A plain file of this stream, one message a line; without it an envelope export. */
  readonly plainStream?: string
  /** Told now and then: bytes read so far. */
  readonly progress?: (bytes: number) => void
}

/** Room for 10 MB of control characters, each written with six letters. */
const MAX_LINE_BYTES = 64 << 20
const BAD_LINES_NAMED = 20

/**
 * Takes into the journal what a file has and the journal has not. The journal itself tells what is known: what it held
 * when the import began. So an import that was cut short is simply made again, and one made twice changes nothing. A
 * line that is not of the format is counted and passed over.
 *
 * Known is, from an envelope export, a frame of the same stream, boot, times, kind (text or binary) and bytes (its wall
 * time may have been corrected since, which boot and monotonic time outlast); from a plain file, a message
 * of the same bytes within seven days of its time. Both are counted by occurrence.
 */
export async function importLines(
  content: AsyncIterable<Uint8Array>,
  target: ImportTarget,
  options: ImportOptions = {}
): Promise<ImportReport> {
  const { plainStream } = options
  const reader: LineReader =
    plainStream === undefined ? new EnvelopeReader() : new PlainReader(checkStreamName(plainStream))
  const known = new Known({
    reader: target,
    before: target.nextPosition,
    ...(plainStream === undefined ? envelopeLookup : { ...plainLookup, streams: new Set([plainStream]) })
  })
  const badLines: number[] = []
  const report = { lines: 0, found: 0, known: 0, appended: 0, bad: 0, badLines }
  const take = async (candidates: readonly Candidate[]): Promise<void> => {
    const missing: ImportedFrame[] = []
    for (const { frame, fingerprint } of candidates) {
      const { wallUs, trueUs = wallUs } = frame
      // The journal that it came from has it under the time that the clock said.
      if (await known.take(wallUs, fingerprint)) continue
      if (trueUs === wallUs || !(await known.take(trueUs, fingerprint))) missing.push(frame)
    }
    report.found += candidates.length
    report.known += candidates.length - missing.length
    report.appended += missing.length
    if (missing.length > 0) await target.append(missing)
  }
  for await (const batch of lines(counted(content, options.progress), MAX_LINE_BYTES)) {
    const candidates: Candidate[] = []
    for (const line of batch) {
      report.lines++
      if (line.bytes?.length === 0) continue
      const read = reader.read(line)
      candidates.push(...read.candidates)
      report.bad += read.bad
      if (read.bad > 0 && badLines.length < BAD_LINES_NAMED) badLines.push(line.number)
    }
    await take(candidates)
  }
  const rest = reader.end()
  report.bad += rest.bad
  await take(rest.candidates)
  await target.commit()
  return report
}
