import { join } from 'node:path'
import { UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'
import { Digester, type WrittenFile } from './digests.ts'

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
  private readonly written = new Map<string, Digester>()

  /** @param encode what is made of each piece before it is written; pieces hold one append or several */
  constructor(files: Files, directory: string, encode = (data: Buffer): Buffer => data) {
    this.files = files
    this.directory = directory
    this.encode = encode
  }

  /** @throws UNDERSTUDY_OUTPUT_EXISTS when a file of this name is there already */
  async append(name: string, data: Buffer): Promise<void> {
    if (!this.waiting.has(name) && !this.written.has(name)) await this.refuse(name)
    if (this.waitingBytes + data.length > GATHERED_BYTES) await this.flush()
    const pieces = this.waiting.get(name)
    if (pieces) pieces.push(data)
    else this.waiting.set(name, [data])
    this.waitingBytes += data.length
  }

  /**
   * Sorted by their names; the caller syncs the folder.
   * @throws UNDERSTUDY_OUTPUT_EXISTS
   */
  async finish(): Promise<WrittenFile[]> {
    await this.flush()
    const { names } = this
    for (const name of names) {
      await this.refuse(name)
      const file = await this.files.open(this.temporary(name), 'edit')
      await file.sync().finally(() => file.close())
    }
    for (const name of names) await this.files.rename(this.temporary(name), join(this.directory, name))
    return names.map((name) => ({ name, ...this.written.get(name)!.digests() }))
  }

  async discard(): Promise<void> {
    for (const name of this.written.keys()) await this.files.remove(this.temporary(name))
  }

  private async refuse(name: string): Promise<void> {
    if (await this.files.info(join(this.directory, name))) throw new UnderstudyError('UNDERSTUDY_OUTPUT_EXISTS', name)
  }

  /** The names so far, sorted. */
  get names(): string[] {
    return [...new Set([...this.written.keys(), ...this.waiting.keys()])].sort()
  }

  /** Where a file lies until it is finished. */
  temporary(name: string): string {
    return join(this.directory, `.${name}.new`)
  }

  /** Writes what waits. */
  async flush(): Promise<void> {
    for (const [name, pieces] of this.waiting) {
      const former = this.written.get(name)
      const file = await this.files.open(this.temporary(name), former ? 'edit' : 'create', 0o640)
      const digester = former ?? new Digester()
      this.written.set(name, digester)
      const data = this.encode(Buffer.concat(pieces))
      await file.write(data, digester.bytes).finally(() => file.close())
      digester.update(data)
    }
    this.waiting.clear()
    this.waitingBytes = 0
  }
}
