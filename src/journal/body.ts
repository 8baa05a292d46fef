import { ByteReader, ByteWriter } from './bytes.ts'
import { HASH_BYTES, origins, SALT_BYTES, sources } from './chain.ts'
import type { Entry, Erasure, Frame, JournalEvent, Position } from './entry.ts'

/*
 * The body of a block: what each commit put into it, then a description of the entries, column by column since like
 * compresses well beside like, then the payloads. Varints throughout; a number in brackets is relative to the entry
 * before and may be negative.
 *
 *   parts: count; each: count of entries, then 0 and the part's salt, or 1 and for each entry 0, or 1 and its salt
 *          (a part in which a frame was erased keeps the salts of the others)
 *   names of streams: count; each: length, UTF-8
 *   boots:            count; each: length, UTF-8
 *   flags of each entry
 *   stream of each frame
 *   (number of each frame in its stream, minus the one before it here, minus 1)
 *   for each entry without CLOCK_SAME: boot, (wall time minus monotonic time, µs; not relative)
 *   (monotonic time of each entry, µs)
 *   length of each payload
 *   for each erased frame: length it had, digest, digest of the rest, when (µs), by whom
 *   payloads
 */
const KIND = 0b11
const EVENT = 0
const TEXT = 1
const BINARY = 2
const ORIGIN_SHIFT = 2
const SOURCE_SHIFT = 4
const ERASED = 1 << 6
/** Same boot as the entry before, and the same difference between wall time and monotonic time. */
const CLOCK_SAME = 1 << 7

/** What one commit put into a block. */
export interface Part {
  /** Of the whole part, or of each entry, where an erased frame has none. */
  readonly salt: Buffer | readonly (Buffer | undefined)[]
  readonly entries: readonly Entry[]
}

const head = new ByteWriter(4096)
const columns = {
  flags: new ByteWriter(),
  streams: new ByteWriter(),
  seqs: new ByteWriter(),
  clocks: new ByteWriter(),
  monos: new ByteWriter(),
  lengths: new ByteWriter(),
  erasures: new ByteWriter()
}

export function writeBody(parts: readonly Part[]): Buffer {
  head.clear()
  for (const column of Object.values(columns)) column.clear()
  const streams = new Map<string, { index: number; seq: number }>()
  const boots = new Map<string, number>()
  const payloads: Buffer[] = []
  let boot: string | undefined
  let offsetUs = 0
  let monoUs = 0

  head.varint(parts.length)
  for (const part of parts) {
    writePartHead(part)
    for (const entry of part.entries) {
      const entryOffsetUs = entry.wallUs - entry.monoUs
      const clockSame = entry.boot === boot && entryOffsetUs === offsetUs
      columns.flags.u8(flagsOf(entry, clockSame))
      if (entry.kind === 'frame') {
        const stream = known(streams, entry.stream, (index) => ({ index, seq: 0 }))
        columns.streams.varint(stream.index)
        columns.seqs.signed(entry.seq - stream.seq - 1)
        stream.seq = entry.seq
        if (entry.erased) writeErasure(entry.erased)
      }
      if (!clockSame) {
        columns.clocks.varint(known(boots, entry.boot, (index) => index))
        columns.clocks.signed(entryOffsetUs)
        boot = entry.boot
        offsetUs = entryOffsetUs
      }
      columns.monos.signed(entry.monoUs - monoUs)
      monoUs = entry.monoUs
      columns.lengths.varint(entry.payload.length)
      payloads.push(entry.payload)
    }
  }
  writeNames(streams)
  writeNames(boots)
  return Buffer.concat([head.view(), ...Object.values(columns).map((column) => column.view()), ...payloads])
}

function flagsOf(entry: Entry, clockSame: boolean): number {
  const common = (sources.indexOf(entry.source) << SOURCE_SHIFT) | (clockSame ? CLOCK_SAME : 0)
  if (entry.kind === 'event') return common | EVENT
  const origin = origins.indexOf(entry.origin) << ORIGIN_SHIFT
  return common | origin | (entry.binary ? BINARY : TEXT) | (entry.erased ? ERASED : 0)
}

function writePartHead({ salt, entries }: Part): void {
  head.varint(entries.length)
  if (Buffer.isBuffer(salt)) {
    head.u8(0)
    head.bytes(salt)
    return
  }
  head.u8(1)
  for (const one of salt) {
    head.u8(one ? 1 : 0)
    if (one) head.bytes(one)
  }
}

function writeNames(names: ReadonlyMap<string, unknown>): void {
  head.varint(names.size)
  for (const name of names.keys()) head.text(name)
}

function writeErasure(erased: Erasure): void {
  columns.erasures.varint(erased.payloadBytes)
  columns.erasures.bytes(Buffer.from(erased.digest, 'hex'))
  columns.erasures.bytes(Buffer.from(erased.restDigest, 'hex'))
  columns.erasures.varint(erased.atUs)
  columns.erasures.text(erased.by)
}

function known<V>(map: Map<string, V>, name: string, add: (index: number) => V): V {
  let value = map.get(name)
  if (value === undefined) {
    value = add(map.size)
    map.set(name, value)
  }
  return value
}

/**
 * @param wanted only frames of these streams are given, and no events; parts may then be empty
 */
export function readBody(body: Buffer, firstPosition: Position, count: number, wanted?: ReadonlySet<string>): Part[] {
  const reader = new ByteReader(body)
  const heads = Array.from({ length: bounded(reader.varint(), count) }, () => readPartHead(reader, count))
  const described = heads.reduce((sum, { entryCount }) => sum + entryCount, 0)
  // Each entry takes some bytes, so this also bounds what a made-up count can cost.
  if (described !== count || count > body.length) throw new RangeError('the parts do not fill the block')
  const streams = Array.from({ length: bounded(reader.varint(), count) }, () => reader.text())
  const boots = Array.from({ length: bounded(reader.varint(), count) }, () => reader.text())
  const flags = reader.bytes(count)
  /** A column that only some entries have. */
  const column = <V>(has: (flags: number) => boolean, read: () => V): Map<number, V> => {
    const values = new Map<number, V>()
    for (let index = 0; index < count; index++) if (has(flags[index]!)) values.set(index, read())
    return values
  }
  // Those that nearly every entry has, without a call for each value.
  const streamIndexes = new Array<number | undefined>(count)
  const seqSteps = new Array<number | undefined>(count)
  const monoSteps = new Array<number>(count)
  const lengths = new Array<number>(count)
  for (let index = 0; index < count; index++) if (isFrame(flags[index]!)) streamIndexes[index] = reader.varint()
  for (let index = 0; index < count; index++) if (isFrame(flags[index]!)) seqSteps[index] = reader.signed()
  const clocks = column(
    (entry) => !(entry & CLOCK_SAME),
    () => ({ boot: at(boots, reader.varint()), offsetUs: reader.signed() })
  )
  for (let index = 0; index < count; index++) monoSteps[index] = reader.signed()
  for (let index = 0; index < count; index++) lengths[index] = reader.varint()
  const erasures = column(
    (entry) => (entry & ERASED) !== 0,
    () => readErasure(reader)
  )
  const payloads = body.subarray(reader.at)

  const wants = streams.map((stream) => !wanted || wanted.has(stream))
  const seqs = new Array<number>(streams.length).fill(0)
  let clock = { boot: '', offsetUs: 0 }
  let monoUs = 0
  let payloadAt = 0
  let index = 0
  const parts = heads.map(({ salt, entryCount }): Part => {
    const entries: Entry[] = []
    for (const end = index + entryCount; index < end; index++) {
      clock = clocks.get(index) ?? clock
      monoUs += monoSteps[index]!
      const from = payloadAt
      payloadAt += lengths[index]!
      const streamIndex = streamIndexes[index]
      if (streamIndex !== undefined) seqs[streamIndex] = at(seqs, streamIndex) + 1 + seqSteps[index]!
      if (streamIndex === undefined ? wanted : !at(wants, streamIndex)) continue
      const position = firstPosition + index
      const wallUs = monoUs + clock.offsetUs
      const { boot } = clock
      const source = at(sources, (flags[index]! >> SOURCE_SHIFT) & 0b11)
      const payload = payloads.subarray(from, payloadAt)
      if (streamIndex === undefined) {
        const event = JSON.parse(payload.toString('utf8')) as JournalEvent
        entries.push({ kind: 'event', event, position, wallUs, monoUs, boot, source, payload })
        continue
      }
      // Written out, since nearly all that is read are frames, and spreading one into another takes twice as long.
      const frame: Frame = {
        kind: 'frame',
        stream: streams[streamIndex]!,
        seq: seqs[streamIndex]!,
        origin: at(origins, (flags[index]! >> ORIGIN_SHIFT) & 0b11),
        binary: (flags[index]! & KIND) === BINARY,
        position,
        wallUs,
        monoUs,
        boot,
        source,
        payload
      }
      const erased = erasures.get(index)
      entries.push(erased ? { ...frame, erased } : frame)
    }
    return { salt, entries }
  })
  if (payloads.length !== payloadAt) throw new RangeError('the payloads do not fill the block')
  return parts
}

function isFrame(flags: number): boolean {
  return (flags & KIND) !== EVENT
}

function readPartHead(reader: ByteReader, count: number): { salt: Part['salt']; entryCount: number } {
  const entryCount = bounded(reader.varint(), count)
  if (reader.u8() === 0) return { salt: Buffer.from(reader.bytes(SALT_BYTES)), entryCount }
  const salt = Array.from({ length: entryCount }, () =>
    reader.u8() === 0 ? undefined : Buffer.from(reader.bytes(SALT_BYTES))
  )
  return { salt, entryCount }
}

function readErasure(reader: ByteReader): Erasure {
  return {
    payloadBytes: reader.varint(),
    digest: reader.bytes(HASH_BYTES).toString('hex'),
    restDigest: reader.bytes(HASH_BYTES).toString('hex'),
    atUs: reader.varint(),
    by: reader.text()
  }
}

/** Neither parts nor names can be more than the entries, save the empty part of an empty block. */
function bounded(value: number, most: number): number {
  if (value > most) throw new RangeError('a count is too large')
  return value
}

function at<V>(values: readonly V[], index: number): V {
  const value = values[index]
  if (value === undefined) throw new RangeError('an index is out of range')
  return value
}
