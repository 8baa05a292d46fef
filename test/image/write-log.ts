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

/** One entry of qemu's blklogwrites, in the format of Linux's dm-log-writes. */
interface Logged {
  /** Where it ends in the log. */
  readonly end: number
  /** It, and all before it, is on the disk when it is done. */
  readonly flush: boolean
  /** What is written, absent where nothing is: where on the disk, how much, and where it stands in the log. */
  readonly write?: { readonly at: number; readonly bytes: number; readonly from: number }
}

/** What a machine has written to its disk, in order, and when it asked for all to be there. */
export class WriteLog {
  readonly entries: Logged[] = []
  readonly #log: number

  /**
   * @param path as blklogwrites left it, with sectors of 512 bytes; a last entry that is not whole is left out
   * @param offset where the partition begins that is meant: places are counted from there, and what lies before is left out
   */
  constructor(path: string, offset: number) {
    this.#log = openSync(path, 'r')
    const size = statSync(path).size
    const head = this.#read(0, HEADER_BYTES)
    if (head.readBigUInt64LE(0) !== MAGIC || head.readUInt32LE(24) !== SECTOR) throw new Error('no log of writes')
    for (let at = SECTOR; at + SECTOR <= size; ) {
      const header = this.#read(at, HEADER_BYTES)
      const [sector, sectors, flags] = [0, 8, 16].map((offset) => header.readBigUInt64LE(offset)) as [
        bigint,
        bigint,
        bigint
      ]
      if (flags === 0n && sectors === 0n) break
      if ((flags & FUA) !== 0n) throw new Error('a write past the cache')
      const holds = (flags & (DISCARD | MARK)) === 0n && sectors > 0n
      const bytes = Number(sectors) * SECTOR
      const from = at + SECTOR
      at = from + (holds ? bytes : 0)
      if (at > size) break
      const place = Number(sector) * SECTOR - offset
      const write = holds && place >= 0 ? { at: place, bytes, from } : undefined
      this.entries.push({
        end: at,
        flush: (flags & FLUSH) !== 0n,
        ...(write && { write })
      })
    }
  }

  /** Writes what the entries in [first, before) wrote into a copy of the disk. */
  apply(disk: number, first: number, before: number): void {
    for (const { write } of this.entries.slice(first, before)) if (write) this.#copy(disk, write, write.bytes)
  }

  /** The number of entries, of the first `before`, that have to be on the disk: up to the last flush. */
  settled(before: number): number {
    return this.entries.slice(0, before).findLastIndex(({ flush }) => flush) + 1
  }

  /**
   * Writes what may be on the disk of the entries in [settled, before) when the power goes: some of them, whatever came
   * earlier or later, and of some only the beginning.
   */
  tear(disk: number, settled: number, before: number, dice: Dice): void {
    const open = this.entries.slice(settled, before)
    const share = dice.fraction()
    for (const { write } of open) {
      if (!write || !dice.chance(share)) continue
      const sectors = write.bytes / SECTOR
      this.#copy(disk, write, (dice.chance(0.1) ? Math.floor(dice.fraction() * sectors) : sectors) * SECTOR)
    }
  }

  close(): void {
    closeSync(this.#log)
  }

  #copy(disk: number, write: { at: number; from: number }, bytes: number): void {
    writeSync(disk, this.#read(write.from, bytes), 0, bytes, write.at)
  }

  #read(from: number, bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes)
    readSync(this.#log, buffer, 0, bytes, from)
    return buffer
  }
}
