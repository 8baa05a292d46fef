import { join } from 'node:path'
import { UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'
import { type Compression, endings } from './compressed-file.ts'
import { NewFile } from './new-file.ts'

/** New files of one folder, each open until all of them are finished. Nothing that is there is overwritten. */
export class NewFiles {
  private readonly files: Files
  private readonly directory: string
  private readonly compression: Compression | undefined
  private readonly open = new Map<string, NewFile>()

  /** @param compression of all of them; their names end accordingly */
  constructor(files: Files, directory: string, compression?: Compression) {
    this.files = files
    this.directory = directory
    this.compression = compression
  }

  /** @throws UNDERSTUDY_OUTPUT_EXISTS */
  async file(plainName: string): Promise<NewFile> {
    const name = this.compression === undefined ? plainName : `${plainName}${endings[this.compression]}`
    const open = this.open.get(name)
    if (open) return open
    const path = join(this.directory, name)
    if (await this.files.info(path)) throw new UnderstudyError('UNDERSTUDY_OUTPUT_EXISTS', name)
    const file = await NewFile.create(this.files, path, this.compression)
    this.open.set(name, file)
    return file
  }

  /** Gives the names, sorted; the caller syncs the folder. */
  async finish(): Promise<string[]> {
    for (const file of this.open.values()) await file.finish()
    return [...this.open.keys()].sort()
  }

  async discard(): Promise<void> {
    for (const file of this.open.values()) await file.discard()
  }
}
