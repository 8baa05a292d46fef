/** Writes numbers and bytes one after the other into a buffer that grows. Numbers are whole, up to 2^53. */
export class ByteWriter {
  #buffer: Buffer
  #length = 0

  constructor(capacity = 4096) {
    this.#buffer = Buffer.allocUnsafe(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** What was written since the last `clear`; valid until the next write. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  u8(value: number): void {
    this.#room(1)
    this.#buffer[this.#length++] = value
  }

  u32(value: number): void {
    this.#room(4)
    this.#length = this.#buffer.writeUInt32BE(value, this.#length)
  }

  /** 8 bytes, big-endian, for 0 ≤ value < 2^53. */
  u64(value: number): void {
    this.#room(8)
    this.#length = writeU64(this.#buffer, value, this.#length)
  }

  /** LEB128: 7 bits a byte, the lowest first. */
  varint(value: number): void {
    this.#room(8)
    let rest = value
    while (rest >= 0x80000000) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#buffer[this.#length++] = rest
  }

  /** A varint that is short for small numbers of either sign; |value| < 2^52. */
  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** The characters as one byte each, without a length. */
  latin1(value: string): void {
    this.#room(value.length)
    this.#length += this.#buffer.write(value, this.#length, 'latin1')
  }

  /** A varint length, then UTF-8. */
  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.varint(length)
    this.#room(length)
    this.#length += this.#buffer.write(value, this.#length)
  }

  #room(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length))
    larger.set(this.view())
    this.#buffer = larger
  }
}

/** Reads what `ByteWriter` wrote. Reading past the end throws a RangeError. */
export class ByteReader {
  readonly #buffer: Buffer
  #at: number

  constructor(buffer: Buffer, at = 0) {
    this.#buffer = buffer
    this.#at = at
  }

  get at(): number {
    return this.#at
  }

  u8(): number {
    const value = this.#buffer[this.#at++]
    if (value === undefined) throw new RangeError('the end was reached')
    return value
  }

  varint(): number {
    let byte = this.u8()
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    let scale = 128
    while (byte >= 0x80) {
      if (scale > 2 ** 49) throw new RangeError('a number is too large')
      byte = this.u8()
      value += (byte & 0x7f) * scale
      scale *= 128
    }
    return value
  }

  signed(): number {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#buffer.length) throw new RangeError('the end was reached')
    const value = this.#buffer.subarray(this.#at, end)
    this.#at = end
    return value
  }

  text(): string {
    return this.bytes(this.varint()).toString('utf8')
  }
}

/** Writes 8 bytes, big-endian, without the cost of a BigInt. Gives the place after them. */
export function writeU64(into: Buffer, value: number, at: number): number {
  into.writeUInt32BE(Math.floor(value / 0x100000000), at)
  return into.writeUInt32BE(value % 0x100000000, at + 4)
}

export function readU64(from: Buffer, at: number): number {
  return from.readUInt32BE(at) * 0x100000000 + from.readUInt32BE(at + 4)
}
