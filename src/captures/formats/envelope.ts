import { isUtf8 } from 'node:buffer'
import type { Frame, Origin, TimeSource } from '../../journal/entry.ts'
import { type Part, split } from '../../relay/splitter.ts'
import type { Us } from '../../world/time.ts'
import { parseJson } from '../json.ts'
import type { Format } from './format.ts'
import type { JsonLines } from './json-lines.ts'
import { fieldNames, PlainMessage } from './plain-message.ts'

/**
 * JSON lines with envelope: one line a part of a frame, a message or what is no JSON, with the fields `stream, seq,
 * part, time_us, mono_us, boot, synced, origin, user, t, exp, course, hardware, type, log` and `raw` or `raw_b64`, in
 * this order. What a message does not say, or says in another type, is left out.
 *
 * More come only where they are needed: `time_source` where the clock was held to be right for another reason than ntp
 * (`synced` is true for ntp, relay and trusted), `binary` for a binary frame, `clock_us` where the clock said something
 * else than `time_us` and was found to be wrong later, and `time_uncertain` where the true time is only bounded.
 */
export const envelope: Format = (frame, lines) => {
  const { payload } = frame
  if (message.read(payload)) {
    plainLine(frame, lines)
    return oneMessage
  }
  let messages = 0
  const parts = frameParts(payload)
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'json') messages++
    envelopeLine(frame, index, part, lines)
  }
  return { messages, others: parts.length - messages }
}

const message = new PlainMessage()
const oneMessage = { messages: 1, others: 0 }

/** Writes one part as a line. */
export function envelopeLine(frame: Frame, index: number, part: Part, lines: JsonLines): void {
  lines.text(JSON.stringify(envelopeOf(frame, index, part)))
  lines.endLine()
}

/**
 * Writes the line of a frame that is the plain message read last: the same bytes as `envelopeLine`, in a fifth of the
 * time.
 */
function plainLine(frame: Frame, lines: JsonLines): void {
  const { payload, wallUs, trueUs = wallUs } = frame
  lines.json(streamJson(frame.stream))
  lines.integer(frame.seq)
  lines.json(json.time)
  lines.integer(trueUs)
  if (trueUs !== wallUs) {
    lines.json(json.clock)
    lines.integer(wallUs)
  }
  if (frame.timeUncertain) lines.json(json.uncertain)
  lines.json(json.mono)
  lines.integer(frame.monoUs)
  lines.json(circumstancesJson(frame))
  for (let field = 0; field < fieldNames.length; field++) {
    const start = message.starts[field]!
    if (start === 0) continue
    lines.json(fieldJson[field]!)
    lines.copy(payload, start, message.ends[field]!)
  }
  lines.json(json.raw)
  lines.quoted(payload)
  lines.json(json.end)
}

const json = {
  time: Buffer.from(',"part":0,"time_us":'),
  clock: Buffer.from(',"clock_us":'),
  uncertain: Buffer.from(',"time_uncertain":true'),
  mono: Buffer.from(',"mono_us":'),
  raw: Buffer.from(',"raw":"'),
  end: Buffer.from('"}\n')
}
const fieldJson = fieldNames.map((name) => Buffer.from(`,"${name}":`))

/** A line's beginning, up to the number. The last of each stream is kept: they come again and again. */
function streamJson(stream: string): Buffer {
  let known = streams.get(stream)
  if (!known) {
    known = Buffer.from(`{"stream":${JSON.stringify(stream)},"seq":`)
    if (streams.size >= MOST_STREAMS) streams.clear()
    streams.set(stream, known)
  }
  return known
}

const MOST_STREAMS = 1000
const streams = new Map<string, Buffer>()

/** From the boot up to what the message says: the same for nearly all frames of a time, so the last one is kept. */
function circumstancesJson({ boot, source, origin, binary }: Frame): Buffer {
  const isLast =
    boot === circumstances?.boot &&
    source === circumstances?.source &&
    origin === circumstances?.origin &&
    binary === circumstances?.binary
  if (!isLast) {
    circumstances = { boot, source, origin, binary }
    circumstancesBytes = Buffer.from(`,${JSON.stringify(circumstancesOf(circumstances)).slice(1, -1)}`)
  }
  return circumstancesBytes
}

type Circumstances = Pick<Frame, 'boot' | 'source' | 'origin' | 'binary'>

let circumstances: Circumstances | undefined
let circumstancesBytes: Buffer = Buffer.alloc(0)

function circumstancesOf({
  boot,
  source,
  origin,
  binary
}: Circumstances): Pick<Envelope, 'boot' | 'synced' | 'time_source' | 'origin' | 'binary'> {
  return {
    boot,
    synced: source !== 'none',
    time_source: source === 'ntp' || source === 'none' ? undefined : source,
    origin,
    binary: binary || undefined
  }
}

/** The fields of one part, in their order; absent ones are `undefined`. */
export function envelopeOf(frame: Frame, index: number, part: Part): Envelope {
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
    ...circumstancesOf(frame),
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
