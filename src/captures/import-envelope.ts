import { createHash } from 'node:crypto'
import type { Frame } from '../journal/entry.ts'
import { type EnvelopePart, readEnvelope } from './formats/read-envelope.ts'
import type { Candidate, ImportedFrame, LineReader, Read } from './import.ts'
import type { KnownOptions } from './known.ts'
import type { Line } from './lines.ts'

/** Frames are found again at their exact time, in any stream. */
export const envelopeLookup: Pick<KnownOptions, 'periodUs' | 'slackUs' | 'fingerprints'> = {
  periodUs: 3_600_000_000,
  slackUs: 0,
  fingerprints: (frame) => [envelopeFingerprint(frame)]
}

function envelopeFingerprint(
  frame: Pick<Frame, 'stream' | 'boot' | 'monoUs' | 'wallUs' | 'binary' | 'payload'>
): bigint {
  return createHash('sha256')
    .update(
      `${frame.stream}\n${frame.boot}\n${frame.monoUs}\n${frame.boot === '' ? frame.wallUs : ''}\n${frame.binary}\n`
    )
    .update(frame.payload)
    .digest()
    .readBigUInt64LE(0)
}

/** Joins the consecutive parts of an envelope export back into the frames they were. */
export class EnvelopeReader implements LineReader {
  private parts: EnvelopePart[] = []

  read(line: Line): Read {
    const part = line.bytes === undefined ? undefined : readEnvelope(line.bytes.toString('utf8'))
    if (part === undefined) return { candidates: [], bad: 1 }
    const candidates = this.continues(part) ? [] : this.joined()
    this.parts.push(part)
    return { candidates, bad: 0 }
  }

  end(): Read {
    return { candidates: this.joined(), bad: 0 }
  }

  /** The frame of the parts that waited for another one. */
  private joined(): Candidate[] {
    const [first] = this.parts
    if (first === undefined) return []
    const { bytes: _, seq: __, part: ___, ...fields } = first
    const payload = Buffer.concat(this.parts.map((part) => part.bytes))
    const frame: ImportedFrame = { ...fields, origin: 'import', payload }
    this.parts = []
    return [{ frame, fingerprint: envelopeFingerprint({ ...frame, wallUs: frame.trueUs ?? frame.wallUs }) }]
  }

  private continues(part: EnvelopePart): boolean {
    const last = this.parts.at(-1)
    return (
      last !== undefined &&
      last.stream === part.stream &&
      last.seq === part.seq &&
      last.part < part.part &&
      last.boot === part.boot &&
      last.monoUs === part.monoUs &&
      last.wallUs === part.wallUs &&
      last.trueUs === part.trueUs
    )
  }
}
