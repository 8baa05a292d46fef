import { basename, dirname, join } from 'node:path'
import type { Files, OpenFile } from '../world/files.ts'
import { CompressedFile, type Compression, type Doors } from './compressed-file.ts'
import { Digester, type Digests } from './digests.ts'

/** A file that appears under its name only when it is whole and on the disk. */
export class NewFile {
  private readonly files: Files
  private readonly path: string
  private readonly temporary: string
  private readonly content: PlainFile | CompressedFile

  private constructor(files: Files, path: string, temporary: string, content: PlainFile | CompressedFile) {
    this.files = files
    this.path = path
    this.temporary = temporary
    this.content = content
  }

  static async create(doors: Doors, path: string, compression?: Compression): Promise<NewFile> {
    const temporary = join(dirname(path), `.${basename(path)}.new`)
    const content =
      compression === undefined
        ? new PlainFile(await doors.files.open(temporary, 'create', 0o640))
        : await CompressedFile.create(doors, temporary, compression)
    return new NewFile(doors.files, path, temporary, content)
  }

  append(data: Buffer): Promise<void> {
    return this.content.append(data)
  }

  /** Bytes that wait to be written. */
  get waitingBytes(): number {
    return this.content.waitingBytes
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    return this.content.flush()
  }

  /** Syncs and renames; the caller syncs the folder. */
  async finish(): Promise<Digests> {
    const digests = await this.content.finish()
    await this.files.rename(this.temporary, this.path)
    return digests
  }

  /** Leaves nothing of a file that is not finished. */
  async discard(): Promise<void> {
    await this.content.abandon()
    await this.files.remove(this.temporary)
  }
}

class PlainFile {
  readonly waitingBytes = 0
  private readonly file: OpenFile
  private readonly digester = new Digester()

  constructor(file: OpenFile) {
    this.file = file
  }

  async append(data: Buffer): Promise<void> {
    await this.file.write(data, this.digester.bytes)
    this.digester.update(data)
  }

  async flush(): Promise<void> {}

  async finish(): Promise<Digests> {
    await this.file.sync()
    await this.file.close()
    return this.digester.digests()
  }

  async abandon(): Promise<void> {
    await this.file.close().catch(() => {})
  }
}
