import type { Ms } from '../../world/time.ts'
import type { Disk } from './disk.ts'
import { DirectoryNode, FileNode } from './node.ts'
import { systemError } from './system-error.ts'

/** The files of one folder, as a library inside the process handles them: at once, without waiting. */
export class Folder {
  readonly disk: Disk
  readonly directory: DirectoryNode
  readonly #wallMs: () => Ms

  constructor(disk: Disk, directory: DirectoryNode, wallMs: () => Ms) {
    this.disk = disk
    this.directory = directory
    this.#wallMs = wallMs
  }

  names(): string[] {
    this.disk.checkReading('scandir')
    return [...this.directory.names.keys()]
  }

  file(name: string): FileNode | undefined {
    const node = this.directory.names.get(name)
    return node instanceof FileNode ? node : undefined
  }

  /** The content, not a copy. */
  read(name: string): Buffer {
    this.disk.checkReading('open', name)
    const node = this.file(name)
    if (!node) throw systemError('ENOENT', 'open', name)
    return node.content()
  }

  create(name: string): FileNode {
    this.disk.checkWriting('open', name)
    const there = this.file(name)
    if (there) {
      this.disk.empty(there, this.#wallMs())
      return there
    }
    const node = this.disk.newFile(0o644, this.#wallMs())
    this.disk.name(this.#wallMs(), { directory: this.directory, name, node })
    return node
  }

  append(node: FileNode, data: Buffer): void {
    this.disk.write(node, data, node.size, this.#wallMs())
  }

  /** A whole file, synced. */
  write(name: string, data: Buffer): FileNode {
    const node = this.create(name)
    this.append(node, data)
    this.disk.sync(node)()
    return node
  }

  rename(from: string, to: string): void {
    this.disk.checkWriting('rename', from)
    const node = this.directory.names.get(from)
    if (!node) throw systemError('ENOENT', 'rename', from)
    const { directory } = this
    this.disk.name(this.#wallMs(), { directory, name: to, node }, { directory, name: from, node: undefined })
  }

  /** Into another folder, under the same name. */
  move(name: string, into: Folder): void {
    const node = this.directory.names.get(name)!
    this.disk.name(
      this.#wallMs(),
      { directory: into.directory, name, node },
      { directory: this.directory, name, node: undefined }
    )
  }

  remove(name: string): void {
    this.disk.checkWriting('unlink', name)
    this.disk.name(this.#wallMs(), { directory: this.directory, name, node: undefined })
  }

  /** The folder of that name in this one, made when it is missing. */
  folder(name: string): Folder {
    let node = this.directory.names.get(name)
    if (!node) {
      this.disk.checkWriting('mkdir', name)
      node = this.disk.newDirectory(0o755, this.#wallMs())
      this.disk.name(this.#wallMs(), { directory: this.directory, name, node })
    }
    if (!(node instanceof DirectoryNode)) throw systemError('ENOTDIR', 'mkdir', name)
    return new Folder(this.disk, node, this.#wallMs)
  }

  sync(): void {
    this.disk.syncDirectory(this.directory)()
  }
}
