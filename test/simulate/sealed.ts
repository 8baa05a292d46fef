import { createHash } from 'node:crypto'
import { type Manifest, readManifest } from '../../src/captures/manifest.ts'
import type { Position } from '../../src/journal/entry.ts'
import type { Disk } from '../../src/sim/world/disk.ts'
import { DirectoryNode, FileNode } from '../../src/sim/world/node.ts'
import type { Us } from '../../src/world/time.ts'

/** A sealed folder as it was when it was first seen. */
export interface Folder {
  /** `hourly/2026-11-02T0800`. */
  readonly name: string
  readonly manifest: Manifest
  readonly files: ReadonlyMap<string, Buffer>
  readonly seenUs: Us
  /** When the primary first had a receipt of it with the right hashes. */
  confirmedUs?: Us
  /** Since when it is not on the Pi any more. */
  goneUs?: Us
}

/**
 * Watches the sealed folders as they are on the disk for good: they are whole, each is sealed once, and none goes before
 * the primary has proved to have it, or for want of room, which is said aloud.
 */
export class Sealed {
  readonly folders = new Map<string, Folder>()
  /** Up to where the journal was said to be elsewhere too, and when. */
  readonly confirmed: Array<{ readonly position: Position; readonly atUs: Us }> = []
  readonly #disk: Disk
  readonly #path: string
  readonly #nowUs: () => Us
  readonly #broke: (what: string) => void
  /** Removed for want of room, as it was said. */
  readonly #given = new Set<string>()
  /** What a capture's folder was like when it was last looked at. */
  readonly #marks = new Map<string, string>()
  /** Killed in between, it may not have come to say so. */
  readonly #silently: boolean

  /**
   * @param path where captures lie
   * @param room whether there may not be enough of it
   */
  constructor(disk: Disk, path: string, nowUs: () => Us, room: boolean, broke: (what: string) => void) {
    this.#disk = disk
    this.#path = path
    this.#nowUs = nowUs
    this.#silently = room
    this.#broke = broke
  }

  /** What has come and gone since the last look. */
  look(): void {
    for (const [capture, folder] of foldersIn(this.#disk.find(this.#path))) {
      const mark = `${folder.modifiedMs} ${visible(folder)}`
      if (this.#marks.get(capture) === mark) continue
      this.#marks.set(capture, mark)
      const there = new Set<string>()
      for (const [label, node] of foldersIn(folder)) {
        there.add(`${capture}/${label}`)
        this.#sees(`${capture}/${label}`, node)
      }
      for (const known of this.folders.values()) {
        if (known.manifest.capture === capture && !there.has(known.name)) this.#goes(known)
      }
    }
  }

  /** It was removed because the primary has it, or because there was no room, as the log says. */
  removed(name: string, why: 'confirmed' | 'room'): void {
    const known = this.folders.get(name)
    if (why === 'room') this.#given.add(name)
    else if (known && known.confirmedUs === undefined) this.#broke(`${name} was removed as confirmed, and is not`)
    this.look()
  }

  /** Whether it went without having been confirmed. */
  isLost({ goneUs, confirmedUs }: Folder): boolean {
    return goneUs !== undefined && (confirmedUs === undefined || confirmedUs > goneUs)
  }

  /** @param receiptOf what the primary has written of a folder */
  receipts(receiptOf: (name: string) => string | undefined): void {
    this.look()
    for (const folder of this.folders.values()) {
      if (folder.confirmedUs === undefined && isOf(folder, receiptOf(folder.name))) folder.confirmedUs = this.#nowUs()
    }
  }

  confirms(position: Position): void {
    if (position > (this.confirmed.at(-1)?.position ?? 0)) this.confirmed.push({ position, atUs: this.#nowUs() })
  }

  #sees(name: string, node: DirectoryNode): void {
    const known = this.folders.get(name)
    if (known) {
      if (known.goneUs !== undefined) this.#broke(`${name} was sealed again after it had gone`)
      return
    }
    const files = filesIn(node)
    const manifest = readManifest(files.get('manifest.json') ?? Buffer.alloc(0))
    if (manifest) this.folders.set(name, { name, manifest, files, seenUs: this.#nowUs() })
    else this.#broke(`${name} is seen without its manifest`)
  }

  #goes(folder: Folder): void {
    if (folder.goneUs !== undefined) return
    folder.goneUs = this.#nowUs()
    if (folder.confirmedUs !== undefined || this.#given.has(folder.name) || this.#silently) return
    this.#broke(`${folder.name} has gone, and the primary has not proved to have it`)
  }

  /** What is on the disk of a folder, if it is there. */
  here(name: string): ReadonlyMap<string, Buffer> | undefined {
    const node = this.#disk.find(`${this.#path}/${name}`)
    return node instanceof DirectoryNode ? filesIn(node) : undefined
  }
}

/** Whether two folders hold the same. */
export function isSame(some: ReadonlyMap<string, Buffer>, others: ReadonlyMap<string, Buffer>): boolean {
  return some.size === others.size && [...some].every(([name, content]) => others.get(name)?.equals(content))
}

/** Whether a receipt has the right hashes of every file of a folder. */
function isOf({ files }: Folder, receipt: string | undefined): boolean {
  if (receipt === undefined) return false
  const lines = [...files].map(([name, content]) => `${sha256(content)}  ./${name}`)
  return receipt.split('\n').slice(1, -1).sort().join('\n') === lines.sort().join('\n')
}

/** Those whose names are on the disk and not hidden. */
function foldersIn(node: unknown): Array<[string, DirectoryNode]> {
  if (!(node instanceof DirectoryNode)) return []
  return [...node.synced].filter(
    (entry): entry is [string, DirectoryNode] => entry[1] instanceof DirectoryNode && !entry[0].startsWith('.')
  )
}

/** How many of its names on the disk are not hidden. */
function visible({ synced }: DirectoryNode): number {
  let count = 0
  for (const name of synced.keys()) if (!name.startsWith('.')) count++
  return count
}

function filesIn({ synced }: DirectoryNode): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const [name, node] of synced) if (node instanceof FileNode) files.set(name, Buffer.from(node.content()))
  return files
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
