import * as v from 'valibot'
import { isStreamName } from '../../config/stream-name.ts'
import type { Frame, Stamp, TimeSource } from '../../journal/entry.ts'
import { parseJson } from '../json.ts'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))

const schema = v.object({
  stream: v.pipe(v.string(), v.check(isStreamName)),
  seq: count,
  part: count,
  time_us: v.pipe(v.number(), v.safeInteger()),
  clock_us: v.optional(v.pipe(v.number(), v.safeInteger())),
  time_uncertain: v.optional(v.boolean(), false),
  mono_us: count,
  boot: v.pipe(v.string(), v.maxLength(64)),
  synced: v.boolean(),
  time_source: v.optional(v.picklist(['relay', 'trusted'])),
  origin: v.picklist(['relay', 'own', 'import']),
  binary: v.optional(v.boolean(), false),
  raw: v.optional(v.string()),
  raw_b64: v.optional(v.pipe(v.string(), v.base64()))
})

/** One line of an envelope export: a part of a frame. */
export interface EnvelopePart extends Pick<Frame, keyof Stamp | 'trueUs' | 'timeUncertain'> {
  readonly stream: string
  readonly seq: number
  readonly part: number
  readonly binary: boolean
  readonly bytes: Buffer
}

/** Reads a line of an envelope export; `undefined` when it is none. */
export function readEnvelope(line: string): EnvelopePart | undefined {
  const read = v.safeParse(schema, parseJson(line))
  if (!read.success) return undefined
  const { stream, seq, part, time_us, clock_us = time_us, mono_us, boot, binary, raw, raw_b64 } = read.output
  const { time_uncertain, synced, time_source } = read.output
  if ((raw === undefined) === (raw_b64 === undefined)) return undefined
  return {
    stream,
    seq,
    part,
    wallUs: clock_us,
    ...((clock_us !== time_us || time_uncertain) && { trueUs: time_us }),
    ...(time_uncertain && { timeUncertain: true }),
    monoUs: mono_us,
    boot,
    source: sourceOf(synced, time_source),
    binary,
    bytes: raw === undefined ? Buffer.from(raw_b64 ?? '', 'base64') : Buffer.from(raw)
  }
}

function sourceOf(synced: boolean, named: 'relay' | 'trusted' | undefined): TimeSource {
  return synced ? (named ?? 'ntp') : 'none'
}
