import { ByteReader, ByteWriter } from '../journal/bytes.ts'
import type { Timed } from './count.ts'

/** A command or a piece of feedback, as it is kept of a student. */
export interface Deed extends Timed {
  /** Where its message stands (see `Message`); what was imported with the primary's files stands at position 0. */
  readonly position: number
  readonly part: number
  /** A command's place among the experiment's nodes, or a state's and a subject's. */
  readonly what: number | { readonly state: number; readonly subject: number }
  /** Numbers the student's pieces of hardware, below 64; of feedback 0. */
  readonly hardware: number
  /** It came out of its order, by an import. */
  readonly late: boolean
  /** When it was received, ms since 1970. */
  readonly receivedMs: number
}

/** What the next one is told by: differences take less room. */
interface Last {
  position: number
  part: number
  tMs: number
  receivedMs: number
}

/** Codes below it are commands. */
const FEEDBACK = 16

/** A student's deeds in the order of their arrival, in about nine bytes each. */
export class StudentList {
  #packed = new ByteWriter(32)
  #last: Last = { position: 0, part: -1, tMs: 0, receivedMs: 0 }
  #count = 0

  static of(deeds: Iterable<Deed>): StudentList {
    const list = new StudentList()
    for (const deed of deeds) list.#append(deed)
    return list
  }

  /** What `write` wrote, to its end. */
  static read(from: ByteReader, bytes: Buffer): StudentList {
    const list = new StudentList()
    list.#count = from.varint()
    list.#last = { position: from.varint(), part: from.signed(), tMs: from.signed(), receivedMs: from.signed() }
    list.#packed = new ByteWriter(bytes.length - from.at + 32)
    list.#packed.bytes(bytes.subarray(from.at))
    return list
  }

  write(into: ByteWriter): void {
    const { position, part, tMs, receivedMs } = this.#last
    into.varint(this.#count)
    into.varint(position)
    into.signed(part)
    into.signed(tMs)
    into.signed(receivedMs)
    into.bytes(this.#packed.view())
  }

  get count(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#packed.length
  }

  /** Where it arrived among the others is where it goes. */
  add(deed: Deed): void {
    const { position, part } = this.#last
    if (deed.position > position || (deed.position === position && deed.part > part)) this.#append(deed)
    else this.#insert(deed)
  }

  #insert(deed: Deed): void {
    const deeds = [...this]
    const at = deeds.findIndex(
      (other) => other.position > deed.position || (other.position === deed.position && other.part > deed.part)
    )
    const list = StudentList.of(deeds.toSpliced(at, 0, deed))
    this.#packed = list.#packed
    this.#last = list.#last
    this.#count = list.#count
  }

  *[Symbol.iterator](): Generator<Deed> {
    const from = new ByteReader(this.#packed.view())
    const last: Last = { position: 0, part: -1, tMs: 0, receivedMs: 0 }
    for (let left = this.#count; left > 0; left--) yield read(from, last)
  }

  #append(deed: Deed): void {
    write(this.#packed, deed, this.#last)
    this.#count++
  }
}

function write(into: ByteWriter, { position, part, what, tMs, hardware, late, receivedMs }: Deed, last: Last): void {
  const code = typeof what === 'number' ? what : FEEDBACK + what.state * 16 + what.subject
  const time = tMs === undefined ? 0 : Number.isInteger(tMs) ? 1 : 2
  into.varint(code * 3 + time)
  into.u8(hardware * 2 + (late ? 1 : 0))
  const isNext = part === (position === last.position ? last.part + 1 : 0)
  into.varint((position - last.position) * 2 + (isNext ? 0 : 1))
  if (!isNext) into.varint(part)
  if (time === 1) into.signed(tMs! - last.tMs)
  if (time === 2) {
    const double = Buffer.alloc(8)
    double.writeDoubleBE(tMs!)
    into.bytes(double)
  }
  into.signed(receivedMs - last.receivedMs)
  last.position = position
  last.part = part
  last.receivedMs = receivedMs
  if (time === 1) last.tMs = tMs!
}

function read(from: ByteReader, last: Last): Deed {
  const first = from.varint()
  const [code, time] = [Math.floor(first / 3), first % 3]
  const second = from.u8()
  const place = from.varint()
  const step = Math.floor(place / 2)
  const next = step === 0 ? last.part + 1 : 0
  last.position += step
  last.part = place % 2 === 0 ? next : from.varint()
  if (time === 1) last.tMs += from.signed()
  const tMs = [undefined, last.tMs][time] ?? (time === 2 ? from.bytes(8).readDoubleBE() : undefined)
  last.receivedMs += from.signed()
  return {
    position: last.position,
    part: last.part,
    what: code < FEEDBACK ? code : { state: (code - FEEDBACK) >> 4, subject: (code - FEEDBACK) & 15 },
    tMs,
    hardware: second >> 1,
    late: second % 2 === 1,
    receivedMs: last.receivedMs
  }
}
