import { basename, dirname, join } from 'node:path'
import type { Files, OpenFile } from '../world/files.ts'

/** A file that appears under its name only when it is whole and on the disk. */
export class NewFile {
  private sizeBytes = 0
  private readonly files: Files
  private readonly path: string
  private readonly temporary: string
  private readonly file: OpenFile

  private constructor(files: Files, path: string, temporary: string, file: OpenFile) {
    this.files = files
    this.path = path
    this.temporary = temporary
    this.file = file
  }

  static async create(files: Files, path: string): Promise<NewFile> {
    const temporary = join(dirname(path), `.${basename(path)}.new`)
    return new NewFile(files, path, temporary, await files.open(temporary, 'create', 0o640))
  }

  async append(data: Buffer): Promise<void> {
    await this.file.write(data, this.sizeBytes)
    this.sizeBytes += data.length
  }

  /** Syncs and renames; the caller syncs the folder. */
  async finish(): Promise<void> {
    await this.file.sync()
    await this.file.close()
    await this.files.rename(this.temporary, this.path)
  }

  /** Leaves nothing of a file that is not finished. */
  async discard(): Promise<void> {
    await this.file.close().catch(() => undefined)
    await this.files.remove(this.temporary)
  }
}
