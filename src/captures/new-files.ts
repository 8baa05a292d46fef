import { join } from 'node:path'
import { UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'
import { NewFile } from './new-file.ts'

/** New files of one folder, each open until all of them are finished. Nothing that is there is overwritten. */
export class NewFiles {
  private readonly files: Files
  private readonly directory: string
  private readonly open = new Map<string, NewFile>()

  constructor(files: Files, directory: string) {
    this.files = files
    this.directory = directory
  }

  /** @throws UNDERSTUDY_OUTPUT_EXISTS */
  async file(name: string): Promise<NewFile> {
    const open = this.open.get(name)
    if (open) return open
    const path = join(this.directory, name)
    if (await this.files.info(path)) throw new UnderstudyError('UNDERSTUDY_OUTPUT_EXISTS', name)
    const file = await NewFile.create(this.files, path)
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
