import { isUtf8 } from 'node:buffer'
import type { Frame, Origin, TimeSource } from '../../journal/entry.ts'
import { type Part, split } from '../../relay/splitter.ts'
import type { Us } from '../../world/time.ts'
import { parseJson } from '../json.ts'
import type { Encoded } from './format.ts'

/**
 * JSON lines with envelope: one line a part of a frame, a message or what is no JSON, with the fields `stream, seq,
 * part, time_us, mono_us, boot, synced, origin, user, t, exp, course, hardware, type, log` and `raw` or `raw_b64`, in
 * this order. What a message does not say, or says in another type, is left out.
 *
 * More come only where they are needed: `time_source` where the clock was held to be right for another reason than ntp
 * (`synced` is true for ntp, relay and trusted), `binary` for a binary frame, `clock_us` where the clock said something
 * else than `time_us` and was found to be wrong later, and `time_uncertain` where the true time is only bounded.
 */
export function envelope(frame: Frame): Encoded {
  let lines = ''
  let messages = 0
  const parts = frameParts(frame.payload)
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'json') messages++
    lines += envelopeLine(frame, index, part)
  }
  return { lines: Buffer.from(lines), other: Buffer.alloc(0), messages, others: parts.length - messages }
}

/** One part as a line, ended by a line break. */
export function envelopeLine(frame: Frame, index: number, part: Part): string {
  return `${JSON.stringify(envelopeOf(frame, index, part))}\n`
}

/** The fields of one part, in their order; absent ones are `undefined`. */
function envelopeOf(frame: Frame, index: number, part: Part): Envelope {
  const bytes = frame.payload.subarray(part.start, part.end)
  const raw = isUtf8(bytes) ? bytes.toString('utf8') : undefined
  return {
    stream: frame.stream,
    seq: frame.seq,
    part: index,
    time_us: frame.trueUs ?? frame.wallUs,
    clock_us: (frame.trueUs ?? frame.wallUs) === frame.wallUs ? undefined : frame.wallUs,
    time_uncertain: frame.timeUncertain,
    mono_us: frame.monoUs,
    boot: frame.boot,
    synced: frame.source !== 'none',
    time_source: frame.source === 'ntp' || frame.source === 'none' ? undefined : frame.source,
    origin: frame.origin,
    binary: frame.binary || undefined,
    ...(part.kind === 'json' && raw !== undefined ? fieldsOf(raw) : undefined),
    raw,
    raw_b64: raw === undefined ? bytes.toString('base64') : undefined
  }
}

/** The fields of a part as `envelope` writes them; `parquet` has the same. */
export interface Envelope extends MessageFields {
  readonly stream: string
  readonly seq: number
  readonly part: number
  readonly time_us: Us
  readonly clock_us: Us | undefined
  readonly time_uncertain: true | undefined
  readonly mono_us: Us
  readonly boot: string
  readonly synced: boolean
  readonly time_source: TimeSource | undefined
  readonly origin: Origin
  readonly binary: true | undefined
  readonly raw: string | undefined
  readonly raw_b64: string | undefined
}

interface MessageFields {
  readonly user?: string | undefined
  readonly t?: number | undefined
  readonly exp?: string | undefined
  readonly course?: string | undefined
  readonly hardware?: string | undefined
  readonly type?: string | undefined
  readonly log?: string | undefined
}

/** The parts of a frame; an empty frame has one, so that it leaves a line too. */
function frameParts(payload: Buffer): Part[] {
  return payload.length === 0 ? [{ start: 0, end: 0, kind: 'other' }] : [...split(payload)]
}

function fieldsOf(raw: string): MessageFields | undefined {
  const message = parseJson(raw)
  if (typeof message !== 'object' || message === null) return undefined
  const { user, t, exp, course, hardware, type, payload } = message as Record<string, unknown>
  const log = typeof payload === 'object' && payload !== null ? (payload as { log?: unknown }).log : undefined
  return {
    user: text(user),
    t: typeof t === 'number' && Number.isFinite(t) ? t : undefined,
    exp: text(exp),
    course: text(course),
    hardware: text(hardware),
    type: text(type),
    log: text(log)
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
