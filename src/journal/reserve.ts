import type { Files } from '../world/files.ts'
import { journalPaths } from './paths.ts'
import { isWithoutRoom } from './without-room.ts'

const CHUNK = Buffer.alloc(1024 * 1024)

/**
 * A file of zeros that is given up when the disk is full, so that there is room to note the gap and to open a new store.
 */
export class Reserve {
  readonly #files: Files
  readonly #path: string
  readonly #sizeBytes: number
  #held = false

  /** @param sizeBytes 0 for none */
  constructor(files: Files, path: string, sizeBytes: number) {
    this.#files = files
    this.#path = path
    this.#sizeBytes = sizeBytes
  }

  /** Makes it when it is not there, if there is room for it twice. Never throws: being without one is no reason to stop. */
  async hold(): Promise<void> {
    if (this.#held || this.#sizeBytes === 0) return
    try {
      const info = await this.#files.info(this.#path)
      if (info?.sizeBytes !== this.#sizeBytes) await this.#make()
      this.#held = true
    } catch {
      await this.release()
    }
  }

  /** Gives it up. */
  async release(): Promise<void> {
    this.#held = false
    await this.#files.remove(this.#path).catch(() => {})
  }

  async #make(): Promise<void> {
    const folder = this.#path.slice(0, this.#path.lastIndexOf('/'))
    const { freeBytes } = await this.#files.space(folder)
    if (freeBytes < 2 * this.#sizeBytes) throw new Error('there is no room for it')
    const file = await this.#files.open(this.#path, 'create', 0o640)
    try {
      for (let at = 0; at < this.#sizeBytes; at += CHUNK.length) {
        await file.write(CHUNK.subarray(0, Math.min(CHUNK.length, this.#sizeBytes - at)), at)
      }
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

/** Where there is no room for it, the reserve of a journal that is not open is given up and it is tried again. */
export async function withRoom<T>(files: Files, directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isWithoutRoom(error)) throw error
    await files.remove(journalPaths(directory).reserve)
    return work()
  }
}
