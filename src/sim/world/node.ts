import type { Ms } from '../../world/time.ts'
import type { Dice } from './dice.ts'

/** What a disk writes whole or not at all. */
export const sectorBytes = 512
/** Of a sector overwritten again and again since the last sync, this many older contents may come back. */
const versionsKept = 4

/** What was written since some sync: what the disk holds may still be the older content, sector by sector. */
interface Layer {
  /** Earlier contents of the sectors overwritten, oldest first. */
  readonly versions: Map<number, Buffer[]>
  readonly sizeBefore: number
  /** The whole content before the file was made empty. */
  readonly emptied?: { readonly data: Buffer; readonly size: number }
}

/** Whom everything belongs to, unless a test says otherwise. */
const USER = 1000

/** A file's content: as the machine sees it, and what a power cut can make of it. */
export class FileNode {
  readonly kind = 'file'
  owner = USER
  readonly inode: number
  mode: number
  modifiedMs: Ms
  size = 0
  /** Changes with the content; for caches. */
  version = 0
  links = 0
  opens = 0
  #data: Buffer = Buffer.alloc(0)
  #layers: Layer[] = [{ versions: new Map(), sizeBefore: 0 }]

  constructor(inode: number, mode: number, modifiedMs: Ms) {
    this.inode = inode
    this.mode = mode
    this.modifiedMs = modifiedMs
  }

  /** The content, not a copy; valid until the next change. */
  content(): Buffer {
    return this.#data.subarray(0, this.size)
  }

  write(data: Uint8Array, position: number): void {
    this.version++
    const end = position + data.length
    this.#keepVersions(position, end)
    if (end > this.#data.length) {
      const larger = Buffer.alloc(Math.max(sectorBytes, end, Math.min(2 * this.#data.length, end + (8 << 20))))
      this.#data.copy(larger, 0, 0, this.size)
      this.#data = larger
    }
    this.#data.set(data, position)
    this.size = Math.max(this.size, end)
  }

  empty(): void {
    this.version++
    if (this.size === 0) return
    const emptied = { data: this.#data, size: this.size }
    this.#layers.push({ versions: new Map(), sizeBefore: 0, emptied })
    this.#data = Buffer.alloc(0)
    this.size = 0
  }

  /** Begins a sync. Calling what it gives ends it: what had been written before is on the disk then. */
  sync(): () => void {
    const next: Layer = { versions: new Map(), sizeBefore: this.size }
    this.#layers.push(next)
    return () => {
      const at = this.#layers.indexOf(next)
      if (at > 0) this.#layers.splice(0, at)
    }
  }

  /** A bit turns over on the medium. */
  flip(bit: number): void {
    this.version++
    this.#data[bit >> 3]! ^= 1 << (bit & 7)
  }

  /** The power goes: of what was not synced, all is lost, all is kept, a beginning is kept, or any sectors are. */
  cut(dice: Dice): void {
    this.version++
    const kept = dice.int(0, 3)
    const keeps = kept === 0 ? () => false : kept === 1 ? () => true : () => dice.chance(0.5)
    const settled = new Set<number>()
    let syncedBytes = 0
    for (const layer of this.#layers.toReversed()) {
      for (const [sector, versions] of layer.versions) {
        if (settled.has(sector)) continue
        if (keeps()) settled.add(sector)
        else this.#restore(sector, versions[dice.int(0, versions.length - 1)]!)
      }
      syncedBytes = layer.sizeBefore
      if (!layer.emptied) continue
      if (keeps()) break
      this.#data = layer.emptied.data
      this.size = layer.emptied.size
      settled.clear()
    }
    this.#cutTail(syncedBytes, kept, dice)
    this.#layers = [{ versions: new Map(), sizeBefore: this.size }]
  }

  /** What was added behind the synced size: a shorter file, or holes of zeros in it. */
  #cutTail(syncedBytes: number, kept: number, dice: Dice): void {
    if (this.size <= syncedBytes || kept === 1) return
    if (kept === 0) this.size = syncedBytes
    else {
      const firstSector = Math.ceil(syncedBytes / sectorBytes)
      const lastSector = Math.floor(this.size / sectorBytes)
      const end = dice.int(Math.min(firstSector, lastSector), lastSector + 1) * sectorBytes
      this.size = Math.max(syncedBytes, Math.min(this.size, end))
      if (kept === 3) {
        for (let at = syncedBytes; at < this.size; at = nextSector(at)) {
          if (dice.chance(0.5)) this.#data.fill(0, at, Math.min(nextSector(at), this.size))
        }
      }
    }
    this.#data.fill(0, this.size)
  }

  #restore(sector: number, content: Buffer): void {
    this.#data.set(content.subarray(0, Math.max(0, this.#data.length - sector * sectorBytes)), sector * sectorBytes)
  }

  #keepVersions(position: number, end: number): void {
    const { versions, sizeBefore } = this.#layers.at(-1)!
    const last = Math.min(end, sizeBefore)
    for (let at = position; at < last; at = nextSector(at)) {
      const sector = Math.floor(at / sectorBytes)
      const older = versions.get(sector) ?? []
      versions.set(sector, older)
      if (older.length === versionsKept) continue
      older.push(Buffer.from(this.#data.subarray(sector * sectorBytes, (sector + 1) * sectorBytes)))
    }
  }
}

function nextSector(at: number): number {
  return (Math.floor(at / sectorBytes) + 1) * sectorBytes
}

/** A unix socket's name. */
export class SocketNode {
  readonly kind = 'other'
  owner = USER
  readonly inode: number
  readonly mode = 0o660
  readonly size = 0
  readonly modifiedMs: Ms

  constructor(inode: number, modifiedMs: Ms) {
    this.inode = inode
    this.modifiedMs = modifiedMs
  }
}

export class DirectoryNode {
  readonly kind = 'directory'
  owner = USER
  readonly inode: number
  readonly mode: number
  readonly size = 4096
  modifiedMs: Ms
  names = new Map<string, DiskNode>()
  /** The names as they are on the disk. */
  readonly synced = new Map<string, DiskNode>()

  constructor(inode: number, mode: number, modifiedMs: Ms) {
    this.inode = inode
    this.mode = mode
    this.modifiedMs = modifiedMs
  }
}

export type DiskNode = FileNode | DirectoryNode | SocketNode
