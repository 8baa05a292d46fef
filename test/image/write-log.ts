import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import type { Dice } from '../../src/sim/world/dice.ts'

const MAGIC = 0x6a736677736872n
const SECTOR = 512
const FLUSH = 1n
/** Of a write that goes past the disk's cache; virtio has none, and flushes after it instead. */
const FUA = 2n
const DISCARD = 4n
const MARK = 8n
const HEADER_BYTES = 32
/** So many of the writes that are under way are done in part. */
const TORN = 0.1

interface Write {
  /** Where in the partition. */
  readonly at: number
  readonly bytes: number
  /** Where it stands in the log. */
  readonly from: number
}

/** One entry of qemu's blklogwrites, in the format of Linux's dm-log-writes. */
interface Logged {
  /** Where it ends in the log, in bytes. */
  readonly end: number
  /** All before it is on the disk when it is done. */
  readonly flush: boolean
  /** Absent where nothing is written to the partition. */
  readonly write?: Write
}

/** What a machine has written to its disk, in order, and when it asked for all to be there. */
export class WriteLog {
  readonly entries: Logged[] = []
  readonly #log: number

  /**
   * @param path as blklogwrites left it, with sectors of 512 bytes; a last entry that is not whole is left out
   * @param offset where the partition begins that is meant, in bytes: what is written before it is left out
   */
  constructor(path: string, offset: number) {
    this.#log = openSync(path, 'r')
    const size = statSync(path).size
    const head = this.#read(0, HEADER_BYTES)
    if (head.readBigUInt64LE(0) !== MAGIC || head.readUInt32LE(24) !== SECTOR) throw new Error('no log of writes')
    for (let from = SECTOR; from + SECTOR <= size; ) {
      const header = this.#read(from, HEADER_BYTES)
      const [sector, sectors, flags] = [0, 8, 16].map((at) => header.readBigUInt64LE(at)) as [bigint, bigint, bigint]
      // Room for an entry that was not written any more.
      if (flags === 0n && sectors === 0n) break
      if ((flags & FUA) !== 0n) throw new Error('a write past the cache')
      const bytes = (flags & (DISCARD | MARK)) === 0n ? Number(sectors) * SECTOR : 0
      const end = from + SECTOR + bytes
      if (end > size) break
      const at = Number(sector) * SECTOR - offset
      this.entries.push({
        end,
        flush: (flags & FLUSH) !== 0n,
        ...(bytes > 0 && at >= 0 && { write: { at, bytes, from: from + SECTOR } })
      })
      from = end
    }
  }

  /** The number of entries that end within the log's first bytes. */
  within(logBytes: number): number {
    return this.entries.findLastIndex(({ end }) => end <= logBytes) + 1
  }

  /**
   * The number of entries, of the first `before`, that have to be on the disk: up to the last flush. The log does not tell
   * which of them were still under way when the flush was asked for, and might be missing; they count as there.
   */
  settled(before: number): number {
    return this.entries.slice(0, before).findLastIndex(({ flush }) => flush) + 1
  }

  /** Writes what the entries in [first, before) wrote into an image of the partition. */
  apply(image: number, first: number, before: number): void {
    for (const { write } of this.entries.slice(first, before)) if (write) this.#copy(image, write, 0, write.bytes)
  }

  /**
   * Writes what may be on the disk of the entries in [settled, before) when the power goes: a part of them, whatever came
   * earlier or later, and of some only a part of their sectors. (Where two go to the same place it is open which one stays, since
   * the later one may be missing.)
   */
  tear(image: number, settled: number, before: number, dice: Dice): void {
    const share = dice.fraction()
    for (const { write } of this.entries.slice(settled, before)) {
      if (!write || !dice.chance(share)) continue
      if (!dice.chance(TORN)) this.#copy(image, write, 0, write.bytes)
      else for (let at = 0; at < write.bytes; at += SECTOR) if (dice.chance(0.5)) this.#copy(image, write, at, SECTOR)
    }
  }

  close(): void {
    closeSync(this.#log)
  }

  #copy(image: number, write: Write, skip: number, bytes: number): void {
    writeSync(image, this.#read(write.from + skip, bytes), 0, bytes, write.at + skip)
  }

  #read(from: number, bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes)
    readSync(this.#log, buffer, 0, bytes, from)
    return buffer
  }
}
