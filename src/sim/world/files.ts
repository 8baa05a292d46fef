import type { DirectoryEntry, DiskSpace, FileInfo, Files, OpenFile } from '../../world/files.ts'
import type { Clock, Ms } from '../../world/time.ts'
import type { Disk } from './disk.ts'
import { DirectoryNode, FileNode } from './node.ts'
import type { Process } from './process.ts'
import { systemError } from './system-error.ts'

/** A disk and the path on it. */
export interface Place {
  readonly disk: Disk
  readonly path: string
}

/** What makes a path another than its plain form: no slash at the beginning or one at the end, `//`, `/./`. */
const unplain = /^[^/]|^$|.\/$|\/\/|\/\.(?:\/|$)/

/** The disks of a machine by the folder they are mounted on. Paths are taken from the root. */
export function locate(mounts: ReadonlyMap<string, Disk>, path: string): Place {
  const whole = unplain.test(path) ? plain(path) : path
  let best = '/'
  for (const mount of mounts.keys()) {
    if (mount.length > best.length && (whole === mount || whole.startsWith(`${mount}/`))) best = mount
  }
  return { disk: mounts.get(best)!, path: best === '/' ? whole : whole.slice(best.length) || '/' }
}

function plain(path: string): string {
  const names = path.split('/').filter((name) => name && name !== '.')
  return `/${names.join('/')}`
}

/** The files of a machine as one of its processes sees them. */
export class SimulatedFiles implements Files {
  readonly #process: Process
  readonly #mounts: ReadonlyMap<string, Disk>
  readonly #clock: Clock

  constructor(process: Process, mounts: ReadonlyMap<string, Disk>, clock: Clock) {
    this.#process = process
    this.#mounts = mounts
    this.#clock = clock
  }

  open(path: string, how: 'read' | 'edit' | 'create' | 'append', mode = 0o644): Promise<OpenFile> {
    const place = locate(this.#mounts, path)
    return this.#process.io(how === 'read' ? 0 : place.disk.delayUs('change'), () => this.#open(place, path, how, mode))
  }

  async readFile(path: string): Promise<Buffer> {
    const { disk, path: inner } = locate(this.#mounts, path)
    return this.#process.io(0, () => {
      disk.checkReading('open', path)
      return Buffer.from(this.#file(disk, inner, path).content())
    })
  }

  async writeFile(path: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
    const file = await this.open(path, 'create', mode)
    try {
      await file.write(typeof data === 'string' ? Buffer.from(data) : data, 0)
    } finally {
      await file.close()
    }
  }

  list(path: string): Promise<DirectoryEntry[]> {
    return this.#process.io(0, () => {
      const { directory } = this.#directory(path, 'scandir')
      return [...directory.names].map(([name, node]) => ({ name, kind: node.kind }))
    })
  }

  info(path: string): Promise<FileInfo | undefined> {
    const { disk, path: inner } = locate(this.#mounts, path)
    return this.#process.io(0, () => {
      disk.checkReading('stat', path)
      const node = disk.find(inner)
      if (!node) return undefined
      const { kind, inode, mode, owner, modifiedMs, size: sizeBytes } = node
      return { kind, sizeBytes, modifiedMs, inode, device: disk.device, mode, owner }
    })
  }

  makeDirectory(path: string, mode = 0o755): Promise<void> {
    const { disk, path: inner } = locate(this.#mounts, path)
    return this.#process.io(disk.delayUs('change'), () => {
      disk.checkReading('mkdir', path)
      let directory = disk.root
      for (const name of inner.split('/')) {
        if (!name) continue
        let next = directory.names.get(name)
        if (!next) {
          disk.checkWriting('mkdir', path)
          next = disk.newDirectory(mode, this.#wallMs())
          disk.name(this.#wallMs(), { directory, name, node: next })
        }
        if (!(next instanceof DirectoryNode)) throw systemError('EEXIST', 'mkdir', path)
        directory = next
      }
    })
  }

  remove(path: string): Promise<void> {
    const { disk, path: inner } = locate(this.#mounts, path)
    return this.#process.io(disk.delayUs('change'), () => {
      disk.checkReading('rm', path)
      const node = disk.find(inner)
      if (!node) return
      disk.checkWriting('rm', path)
      const [directory, name] = disk.parent(inner, 'rm')
      this.#remove(disk, directory, name)
    })
  }

  rename(from: string, to: string): Promise<void> {
    const source = locate(this.#mounts, from)
    const target = locate(this.#mounts, to)
    return this.#process.io(source.disk.delayUs('change'), () => {
      const [node, directory, name] = this.#newName(source, target, 'rename', from)
      const old = directory.names.get(name)
      if (old === node) return
      if (old) {
        if (old.kind === 'directory' && node.kind !== 'directory') throw systemError('EISDIR', 'rename', from)
        if (old.kind !== 'directory' && node.kind === 'directory') throw systemError('ENOTDIR', 'rename', from)
        if (old instanceof DirectoryNode && old.names.size > 0) throw systemError('ENOTEMPTY', 'rename', from)
      }
      if (`${target.path}/`.startsWith(`${source.path}/`)) throw systemError('EINVAL', 'rename', from)
      const [oldDirectory, oldName] = source.disk.parent(source.path, 'rename')
      source.disk.name(
        this.#wallMs(),
        { directory, name, node },
        { directory: oldDirectory, name: oldName, node: undefined }
      )
    })
  }

  link(from: string, to: string): Promise<void> {
    const source = locate(this.#mounts, from)
    const target = locate(this.#mounts, to)
    return this.#process.io(source.disk.delayUs('change'), () => {
      const [node, directory, name] = this.#newName(source, target, 'link', from)
      if (node.kind === 'directory') throw systemError('EPERM', 'link', from)
      if (directory.names.has(name)) throw systemError('EEXIST', 'link', from)
      source.disk.name(this.#wallMs(), { directory, name, node })
    })
  }

  async syncDirectory(path: string): Promise<void> {
    const { disk } = locate(this.#mounts, path)
    const ended = await this.#process.io(disk.delayUs('sync'), () => {
      const { directory } = this.#directory(path, 'open')
      return disk.syncDirectory(directory)
    })
    ended()
  }

  space(path: string): Promise<DiskSpace> {
    const { disk, path: inner } = locate(this.#mounts, path)
    return this.#process.io(0, () => {
      disk.checkReading('statfs', path)
      if (!disk.find(inner)) throw systemError('ENOENT', 'statfs', path)
      return { freeBytes: disk.freeBytes, totalBytes: disk.capacityBytes, ...disk.inodes }
    })
  }

  #open(place: Place, path: string, how: 'read' | 'edit' | 'create' | 'append', mode: number): OpenFile {
    const { disk, path: inner } = place
    disk.checkReading('open', path)
    if (how !== 'read') disk.checkWriting('open', path)
    let node = how === 'read' || how === 'edit' ? this.#file(disk, inner, path) : disk.find(inner)
    if (!node) {
      const [directory, name] = disk.parent(inner, 'open')
      node = disk.newFile(mode, this.#wallMs())
      disk.name(this.#wallMs(), { directory, name, node })
    }
    if (!(node instanceof FileNode)) throw systemError(node.kind === 'directory' ? 'EISDIR' : 'ENXIO', 'open', path)
    if (how === 'create') disk.empty(node, this.#wallMs())
    return new SimulatedOpenFile(this.#process, disk, node, how, this.#clock)
  }

  #file(disk: Disk, inner: string, path: string): FileNode {
    const node = disk.find(inner)
    if (!node) throw systemError('ENOENT', 'open', path)
    if (node instanceof FileNode) return node
    throw systemError(node.kind === 'directory' ? 'EISDIR' : 'ENXIO', 'open', path)
  }

  #directory(path: string, syscall: string): { disk: Disk; directory: DirectoryNode } {
    const { disk, path: inner } = locate(this.#mounts, path)
    disk.checkReading(syscall, path)
    const directory = disk.find(inner)
    if (!directory) throw systemError('ENOENT', syscall, path)
    if (directory.kind !== 'directory') throw systemError('ENOTDIR', syscall, path)
    return { disk, directory }
  }

  #newName(source: Place, target: Place, syscall: string, path: string) {
    source.disk.checkReading(syscall, path)
    const node = source.disk.find(source.path)
    if (!node) throw systemError('ENOENT', syscall, path)
    if (source.disk !== target.disk) throw systemError('EXDEV', syscall, path)
    source.disk.checkWriting(syscall, path)
    return [node, ...target.disk.parent(target.path, syscall)] as const
  }

  /** What is inside goes first, name by name, as `rm -r` does it. */
  #remove(disk: Disk, directory: DirectoryNode, name: string): void {
    const node = directory.names.get(name)
    if (node instanceof DirectoryNode) for (const inside of [...node.names.keys()]) this.#remove(disk, node, inside)
    disk.name(this.#wallMs(), { directory, name, node: undefined })
  }

  #wallMs(): Ms {
    return Math.trunc(this.#clock.wallUs() / 1000)
  }
}

class SimulatedOpenFile implements OpenFile {
  readonly #process: Process
  readonly #disk: Disk
  readonly #node: FileNode
  readonly #how: 'read' | 'edit' | 'create' | 'append'
  readonly #clock: Clock
  readonly #generation: number
  readonly #forget: () => void
  #open = true

  constructor(process: Process, disk: Disk, node: FileNode, how: 'read' | 'edit' | 'create' | 'append', clock: Clock) {
    this.#process = process
    this.#disk = disk
    this.#node = node
    this.#how = how
    this.#clock = clock
    this.#generation = disk.generation
    disk.opened(node)
    this.#forget = process.atEnd(() => this.#release())
  }

  read(into: Uint8Array, position: number): Promise<number> {
    return this.#process.io(0, () => {
      this.#check('read')
      if (this.#how === 'append') throw systemError('EBADF', 'read')
      this.#disk.checkReading('read')
      const content = this.#node.content().subarray(position, position + into.length)
      into.set(content)
      return content.length
    })
  }

  write(data: Uint8Array, position: number): Promise<void> {
    return this.#process.io(this.#disk.delayUs('change'), () => {
      this.#check('write')
      if (this.#how === 'read') throw systemError('EBADF', 'write')
      const at = this.#how === 'append' ? this.#node.size : position
      this.#disk.write(this.#node, data, at, Math.trunc(this.#clock.wallUs() / 1000))
    })
  }

  async sync(): Promise<void> {
    const ended = await this.#process.io(this.#disk.delayUs('sync'), () => {
      this.#check('fdatasync')
      return this.#disk.sync(this.#node)
    })
    this.#check('fdatasync')
    ended()
  }

  close(): Promise<void> {
    return this.#process.io(0, () => {
      if (!this.#open) throw systemError('EBADF', 'close')
      this.#forget()
      this.#release()
    })
  }

  #check(syscall: string): void {
    if (!this.#open) throw systemError('EBADF', syscall)
    if (this.#generation !== this.#disk.generation) throw systemError('EIO', syscall)
  }

  #release(): void {
    this.#open = false
    if (this.#generation === this.#disk.generation) this.#disk.closed(this.#node)
  }
}
