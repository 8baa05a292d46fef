import { join } from 'node:path'
import { UnderstudyError } from '../errors.ts'
import { type Compression, type Doors, endings } from './compressed-file.ts'
import type { WrittenFile } from './digests.ts'
import { NewFile } from './new-file.ts'

/** Waiting to be written, over all files. */
const MOST_WAITING_BYTES = 8 << 20

/** New files of one folder, each open until all of them are finished. Nothing that is there is overwritten. */
export class NewFiles {
  private readonly doors: Doors
  private readonly directory: string
  private readonly compression: Compression | undefined
  private readonly open = new Map<string, NewFile>()

  /** @param compression of all of them; their names end accordingly */
  constructor(doors: Doors, directory: string, compression?: Compression) {
    this.doors = doors
    this.directory = directory
    this.compression = compression
  }

  /** @throws UNDERSTUDY_OUTPUT_EXISTS */
  async append(plainName: string, data: Buffer): Promise<void> {
    await (await this.file(plainName)).append(data)
    let waitingBytes = 0
    for (const file of this.open.values()) waitingBytes += file.waitingBytes
    if (waitingBytes > MOST_WAITING_BYTES) for (const file of this.open.values()) await file.flush()
  }

  /** Sorted by their names; the caller syncs the folder. */
  async finish(): Promise<WrittenFile[]> {
    const written: WrittenFile[] = []
    for (const [name, file] of [...this.open].sort(([a], [b]) => (a < b ? -1 : 1))) {
      written.push({ name, ...(await file.finish()) })
    }
    return written
  }

  async discard(): Promise<void> {
    for (const file of this.open.values()) await file.discard()
  }

  private async file(plainName: string): Promise<NewFile> {
    const name = this.compression === undefined ? plainName : `${plainName}${endings[this.compression]}`
    const open = this.open.get(name)
    if (open) return open
    const path = join(this.directory, name)
    if (await this.doors.files.info(path)) throw new UnderstudyError('UNDERSTUDY_OUTPUT_EXISTS', name)
    const file = await NewFile.create(this.doors, path, this.compression)
    this.open.set(name, file)
    return file
  }
}
