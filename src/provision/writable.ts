import type { Programs } from '../world/programs.ts'

const REMOUNT_MS = 60_000

/**
 * Folders each of which is a mount that is read-only but for the moments in which something changes on it: FAT that is not
 * written cannot be damaged by a power cut. Where a mount does not follow, the next write to it tells.
 */
export class Writable {
  readonly #programs: Programs
  readonly #open = new Set<string>()

  constructor(programs: Programs) {
    this.#programs = programs
  }

  /** To be called before each change in the folder. */
  async open(directory: string): Promise<void> {
    if (this.#open.has(directory)) return
    this.#open.add(directory)
    await this.#remount(directory, 'rw')
  }

  /** What was written is on the disk when it resolves. */
  async close(): Promise<void> {
    for (const directory of this.#open) await this.#remount(directory, 'ro')
    this.#open.clear()
  }

  async #remount(directory: string, how: 'rw' | 'ro'): Promise<void> {
    const args = ['-o', `remount,${how}`, directory]
    await this.#programs.run('mount', args, { timeoutMs: REMOUNT_MS }).catch(() => {})
  }
}
