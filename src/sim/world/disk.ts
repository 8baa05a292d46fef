import type { Ms, Us } from '../../world/time.ts'
import type { Dice } from './dice.ts'
import { DirectoryNode, type DiskNode, FileNode, SocketNode, sectorBytes } from './node.ts'
import type { Simulation } from './simulation.ts'
import { systemError } from './system-error.ts'

/** How long a disk takes, each a range in µs that the seed chooses from. */
export interface DiskPace {
  /** For a change other than a sync. */
  readonly changeUs: readonly [Us, Us]
  readonly syncUs: readonly [Us, Us]
}

interface NameChange {
  readonly directory: DirectoryNode
  readonly name: string
  /** `undefined`: the name goes. */
  readonly node: DiskNode | undefined
}

/** Names reach the disk by themselves after this time, as with ext4's `commit=5`. */
const namesCommitUs = 5_000_000

/**
 * A disk with a journalling file system like ext4. What is written to a file may be lost until the file is synced.
 * Changes of names are kept in order, and may be lost from some point on until the folder is synced, the file they name
 * is (so ext4 does it), or 5 s have passed. Fast and healthy until a test says otherwise.
 */
export class Disk {
  capacityBytes: number
  /** What it says of its inodes, whatever lies on it. */
  inodes: { readonly freeInodes?: number; readonly totalInodes?: number } = {}
  /** Every change gives EROFS. */
  readOnly = false
  /** After this many more bytes written, every write and sync gives EIO. */
  failsAfterBytes = Number.POSITIVE_INFINITY
  /** Every sync gives EIO, and what was written before it may get there all the same. */
  syncFails = false
  /** Every read gives EIO. */
  unreadable = false
  pace: DiskPace = { changeUs: [0, 0], syncUs: [0, 0] }
  readonly root: DirectoryNode
  /** Its number on its machine. */
  readonly device: number
  readonly #simulation: Simulation
  readonly #dice: Dice
  #inodes = 0
  #usedBytes = 0
  #busyUntilUs: Us = 0
  #generation = 0
  #present = true
  /** The folders looked for since one last came or went: again and again the same. */
  readonly #folders = new Map<string, DiskNode | undefined>()
  /** Not on the disk yet; what one entry holds gets there together. */
  #unsyncedNames: Array<{ readonly atUs: Us; readonly changes: readonly NameChange[] }> = []

  constructor(simulation: Simulation, label: string, device: number, capacityBytes = 16e9) {
    this.#simulation = simulation
    this.device = device
    this.#dice = simulation.dice.fork(`disk ${label}`)
    this.capacityBytes = capacityBytes
    this.root = new DirectoryNode(this.#inodes++, 0o755, 0)
  }

  get present(): boolean {
    return this.#present
  }

  get freeBytes(): number {
    return Math.max(0, this.capacityBytes - this.#usedBytes)
  }

  /** Changes when the disk goes: files opened before are gone for good. */
  get generation(): number {
    return this.#generation
  }

  /** Everything asked of the disk from now on waits until `ms` have passed. */
  stall(ms: Ms): void {
    this.#busyUntilUs = this.#simulation.nowUs + ms * 1000
  }

  /** Pulled out: what was not synced is lost as in a power cut, everything gives EIO until `comeBack`. */
  vanish(): void {
    this.cut()
    this.#present = false
  }

  comeBack(): void {
    this.#present = true
  }

  /** Turns one bit over in a file: the one given, or one the seed chooses. */
  flip(path: string, bit?: number): void {
    const node = this.find(path)
    if (!(node instanceof FileNode)) throw systemError('ENOENT', 'flip', path)
    if (node.size > 0) node.flip(bit ?? this.#dice.int(0, Math.min(node.size * 8, 2 ** 31) - 1))
  }

  /** How long something takes, for whoever waits for it. */
  delayUs(what: 'change' | 'sync'): Us {
    const [from, to] = what === 'sync' ? this.pace.syncUs : this.pace.changeUs
    const takes = from === to ? from : this.#dice.int(from, to)
    return Math.max(0, this.#busyUntilUs - this.#simulation.nowUs) + takes
  }

  /** What stands at a path of this disk. */
  find(path: string): DiskNode | undefined {
    const cut = path.lastIndexOf('/')
    const name = path.slice(cut + 1)
    const above = cut > 0 ? path.slice(0, cut) : ''
    if (!this.#folders.has(above)) this.#folders.set(above, this.#walk(above))
    const folder = this.#folders.get(above)
    if (name === '') return folder
    return folder?.kind === 'directory' ? folder.names.get(name) : undefined
  }

  #walk(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.root
    for (const name of path.split('/')) {
      if (!name) continue
      if (node.kind !== 'directory') return undefined
      node = node.names.get(name)
      if (!node) return undefined
    }
    return node
  }

  /** The folder a path is in, and its last name. */
  parent(path: string, syscall: string): [DirectoryNode, string] {
    const cut = path.lastIndexOf('/')
    const directory = this.find(path.slice(0, cut))
    if (!directory) throw systemError('ENOENT', syscall, path)
    if (directory.kind !== 'directory') throw systemError('ENOTDIR', syscall, path)
    return [directory, path.slice(cut + 1)]
  }

  checkReading(syscall: string, path?: string): void {
    if (!this.#present || this.unreadable) throw systemError('EIO', syscall, path)
  }

  checkWriting(syscall: string, path?: string): void {
    if (!this.#present) throw systemError('EIO', syscall, path)
    if (this.readOnly) throw systemError('EROFS', syscall, path)
    if (this.failsAfterBytes <= 0) throw systemError('EIO', syscall, path)
  }

  newFile(mode: number, wallMs: Ms): FileNode {
    return new FileNode(++this.#inodes, mode, wallMs)
  }

  newDirectory(mode: number, wallMs: Ms): DirectoryNode {
    return new DirectoryNode(++this.#inodes, mode, wallMs)
  }

  newSocket(wallMs: Ms): SocketNode {
    return new SocketNode(++this.#inodes, wallMs)
  }

  /** Gives names to nodes or takes them away; all of it or, after a cut, none. */
  name(wallMs: Ms, ...changes: NameChange[]): void {
    for (const { directory, name, node } of changes) {
      const old = directory.names.get(name)
      if (node?.kind === 'directory' || old?.kind === 'directory') this.#folders.clear()
      if (node instanceof FileNode) this.#count(node, () => node.links++)
      if (old instanceof FileNode) this.#count(old, () => old.links--)
      if (node) directory.names.set(name, node)
      else directory.names.delete(name)
      directory.modifiedMs = wallMs
    }
    const atUs = this.#simulation.nowUs
    const due = this.#unsyncedNames.findLastIndex((entry) => entry.atUs <= atUs - namesCommitUs)
    this.#writeNames(due + 1)
    this.#unsyncedNames.push({ atUs, changes })
  }

  opened(node: FileNode): void {
    this.#count(node, () => node.opens++)
  }

  closed(node: FileNode): void {
    this.#count(node, () => node.opens--)
  }

  /** Writes what there is room for, and fails when that is not all. */
  write(node: FileNode, data: Uint8Array, position: number, wallMs: Ms): void {
    this.checkWriting('write')
    const room = allocated(node) + this.freeBytes
    const fits = Math.max(0, Math.min(data.length, this.failsAfterBytes, roundDown(room) - position))
    if (fits > 0) {
      this.#count(node, () => node.write(data.subarray(0, fits), position))
      node.modifiedMs = wallMs
      this.failsAfterBytes -= fits
    }
    if (fits < data.length) throw systemError(this.failsAfterBytes <= 0 ? 'EIO' : 'ENOSPC', 'write')
  }

  empty(node: FileNode, wallMs: Ms): void {
    this.#count(node, () => node.empty())
    node.modifiedMs = wallMs
  }

  /** Begins a sync; calling what it gives ends it. */
  sync(node: FileNode): () => void {
    this.checkWriting('fdatasync')
    if (this.syncFails) throw systemError('EIO', 'fdatasync')
    const ended = node.sync()
    const names = this.#lastName((change) => change.node === node)
    return () => {
      ended()
      this.#writeNames(names())
    }
  }

  syncDirectory(directory: DirectoryNode): () => void {
    this.checkWriting('fsync')
    if (this.syncFails) throw systemError('EIO', 'fsync')
    const names = this.#lastName((change) => change.directory === directory)
    return () => this.#writeNames(names())
  }

  /** The power goes. */
  cut(): void {
    this.#generation++
    this.#folders.clear()
    this.#writeNames(this.#dice.int(0, this.#unsyncedNames.length))
    this.#unsyncedNames = []
    this.#busyUntilUs = 0
    this.#usedBytes = 0
    const files = new Set<FileNode>()
    this.#restoreNames(this.root, files)
    for (const file of files) {
      file.opens = 0
      file.cut(this.#dice)
      this.#usedBytes += allocated(file)
    }
  }

  #restoreNames(directory: DirectoryNode, files: Set<FileNode>): void {
    directory.names = new Map(directory.synced)
    for (const node of directory.names.values()) {
      if (node instanceof DirectoryNode) this.#restoreNames(node, files)
      else if (node instanceof FileNode) {
        node.links = files.has(node) ? node.links + 1 : 1
        files.add(node)
      }
    }
  }

  /** How many entries of `#unsyncedNames` there are up to the last that `concerns` holds for, asked when it matters. */
  #lastName(concerns: (change: NameChange) => boolean): () => number {
    const entry = this.#unsyncedNames.findLast(({ changes }) => changes.some(concerns))
    return () => (entry ? this.#unsyncedNames.indexOf(entry) + 1 : 0)
  }

  #writeNames(count: number): void {
    for (const { changes } of this.#unsyncedNames.splice(0, count)) {
      for (const { directory, name, node } of changes) {
        if (node) directory.synced.set(name, node)
        else directory.synced.delete(name)
      }
    }
  }

  #count(node: FileNode, change: () => void): void {
    const before = node.links + node.opens > 0 ? allocated(node) : 0
    change()
    this.#usedBytes += (node.links + node.opens > 0 ? allocated(node) : 0) - before
  }
}

function allocated(node: FileNode): number {
  return Math.ceil(node.size / sectorBytes) * sectorBytes
}

function roundDown(bytes: number): number {
  return Math.floor(bytes / sectorBytes) * sectorBytes
}
