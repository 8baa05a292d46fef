import { join } from 'node:path'
import { UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'

const GATHERED_BYTES = 2 << 20

/**
 * Many new files of one folder, written in turns through one handle at a time: for more files than can be open. They
 * appear under their names when all of them are on the disk.
 */
export class GatheredFiles {
  private readonly files: Files
  private readonly directory: string
  private readonly encode: (data: Buffer) => Buffer
  /** What waits to be written, by name. */
  private readonly waiting = new Map<string, Buffer[]>()
  private waitingBytes = 0
  private readonly sizes = new Map<string, number>()

  /** @param encode what is made of each piece before it is written; pieces hold one append or several */
  constructor(files: Files, directory: string, encode = (data: Buffer): Buffer => data) {
    this.files = files
    this.directory = directory
    this.encode = encode
  }

  /** @throws UNDERSTUDY_OUTPUT_EXISTS when a file of this name is there already */
  async append(name: string, data: Buffer): Promise<void> {
    if (!this.waiting.has(name) && !this.sizes.has(name)) await this.refuse(name)
    if (this.waitingBytes + data.length > GATHERED_BYTES) await this.flush()
    const pieces = this.waiting.get(name)
    if (pieces) pieces.push(data)
    else this.waiting.set(name, [data])
    this.waitingBytes += data.length
  }

  /**
   * Gives the names, sorted; the caller syncs the folder.
   * @throws UNDERSTUDY_OUTPUT_EXISTS
   */
  async finish(): Promise<string[]> {
    await this.flush()
    const { names } = this
    for (const name of names) {
      await this.refuse(name)
      const file = await this.files.open(this.temporary(name), 'edit')
      await file.sync().finally(() => file.close())
    }
    for (const name of names) await this.files.rename(this.temporary(name), join(this.directory, name))
    return names
  }

  async discard(): Promise<void> {
    for (const name of this.sizes.keys()) await this.files.remove(this.temporary(name))
  }

  private async refuse(name: string): Promise<void> {
    if (await this.files.info(join(this.directory, name))) throw new UnderstudyError('UNDERSTUDY_OUTPUT_EXISTS', name)
  }

  /** The names so far, sorted. */
  get names(): string[] {
    return [...new Set([...this.sizes.keys(), ...this.waiting.keys()])].sort()
  }

  /** Where a file lies until it is finished. */
  temporary(name: string): string {
    return join(this.directory, `.${name}.new`)
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    for (const [name, pieces] of this.waiting) {
      const size = this.sizes.get(name) ?? 0
      const file = await this.files.open(this.temporary(name), size === 0 ? 'create' : 'edit', 0o640)
      const data = this.encode(Buffer.concat(pieces))
      this.sizes.set(name, size + data.length)
      await file.write(data, size).finally(() => file.close())
    }
    this.waiting.clear()
    this.waitingBytes = 0
  }
}
