import type { Frame } from '../journal/entry.ts'
import { split } from '../relay/splitter.ts'
import type { Us } from '../world/time.ts'
import { fingerprintOf } from './fingerprints.ts'
import { onOneLine } from './formats/raw.ts'
import type { Candidate, LineReader, Read } from './import.ts'
import { parseJson } from './json.ts'
import type { KnownOptions } from './known.ts'
import type { Line } from './lines.ts'
import { timeOf } from './message-time.ts'

const DAY_US = 86_400_000_000
/** Messages without a time that may wait for the first one with a time. */
const MAX_WAITING = 100_000

/** Messages are found again by their bytes, the browser's clock and the Pi's being up to seven days apart. */
export const plainLookup: Pick<KnownOptions, 'periodUs' | 'slackUs' | 'fingerprints'> = {
  periodUs: DAY_US,
  slackUs: 7 * DAY_US,
  fingerprints: (frame: Frame) => messagesOf(frame.payload).map(plainFingerprint)
}

function messagesOf(payload: Buffer): Buffer[] {
  return [...split(payload)]
    .filter((part) => part.kind === 'json')
    .map((part) => payload.subarray(part.start, part.end))
}

/** The same for a message and for the line that it becomes in a raw export. */
function plainFingerprint(message: Buffer): bigint {
  return fingerprintOf(onOneLine(message).toString('latin1').trim())
}

/**
 * Reads a file of one message a line (several joined in one line are taken apart). A message is filed under its own
 * `t`; one without under that of the message before it, or at the beginning of the file of the first that has one.
 */
export class PlainReader implements LineReader {
  private readonly stream: string
  private wallUs: Us | undefined
  private waiting: Buffer[] = []

  constructor(stream: string) {
    this.stream = stream
  }

  read(line: Line): Read {
    const parts = line.bytes === undefined ? [] : [...split(line.bytes)]
    const candidates: Candidate[] = []
    let taken = 0
    for (const { start, end, kind } of parts) {
      if (kind === 'json' && this.take(line.bytes!.subarray(start, end), candidates)) taken++
    }
    return { candidates, bad: taken > 0 && taken === parts.length ? 0 : 1 }
  }

  end(): Read {
    return { candidates: [], bad: this.waiting.length }
  }

  /** Whether the message could be taken. */
  private take(message: Buffer, into: Candidate[]): boolean {
    this.wallUs = timeOf(parseJson(message.toString('utf8'))) ?? this.wallUs
    if (this.wallUs === undefined) return this.waiting.length < MAX_WAITING && this.waiting.push(message) > 0
    for (const waiting of this.waiting.splice(0)) into.push(this.candidate(waiting, this.wallUs))
    into.push(this.candidate(message, this.wallUs))
    return true
  }

  private candidate(message: Buffer, wallUs: Us): Candidate {
    const frame = {
      stream: this.stream,
      wallUs,
      monoUs: 0,
      boot: '',
      source: 'none',
      origin: 'import',
      binary: false,
      payload: message
    } as const
    return { frame, fingerprint: plainFingerprint(message) }
  }
}
