import { basename, dirname, join } from 'node:path'
import type { Files, OpenFile } from '../world/files.ts'
import { CompressedFile, type Compression } from './compressed-file.ts'

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

  static async create(files: Files, path: string, compression?: Compression): Promise<NewFile> {
    const temporary = join(dirname(path), `.${basename(path)}.new`)
    const content =
      compression === undefined
        ? new PlainFile(await files.open(temporary, 'create', 0o640))
        : await CompressedFile.create(files, temporary, compression)
    return new NewFile(files, path, temporary, content)
  }

  /** The data is the file's to keep. */
  append(data: Buffer): Promise<void> {
    return this.content.append(data)
  }

  /** Syncs and renames; the caller syncs the folder. */
  async finish(): Promise<void> {
    await this.content.finish()
    await this.files.rename(this.temporary, this.path)
  }

  /** Leaves nothing of a file that is not finished. */
  async discard(): Promise<void> {
    await this.content.abandon()
    await this.files.remove(this.temporary)
  }
}

class PlainFile {
  private readonly file: OpenFile
  private sizeBytes = 0

  constructor(file: OpenFile) {
    this.file = file
  }

  async append(data: Buffer): Promise<void> {
    await this.file.write(data, this.sizeBytes)
    this.sizeBytes += data.length
  }

  async finish(): Promise<void> {
    await this.file.sync()
    await this.file.close()
  }

  async abandon(): Promise<void> {
    await this.file.close().catch(() => {})
  }
}
