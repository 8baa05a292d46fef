import type { Files } from '../../world/files.ts'

/** The kernel's small files under /proc, /sys and /run. What cannot be read is not known. */
export class Kernel {
  readonly #files: Files

  constructor(files: Files) {
    this.#files = files
  }

  /** What it says, without white space at the ends. */
  async text(path: string): Promise<string | undefined> {
    try {
      // The device tree ends its texts with a zero.
      return (await this.#files.readFile(path)).toString('latin1').replace(/\0+$/, '').trim()
    } catch {
      return undefined
    }
  }

  /** Decimal, or with 0x hexadecimal. */
  async number(path: string): Promise<number | undefined> {
    const text = await this.text(path)
    return text === undefined ? undefined : numberIn(text)
  }

  /** The names in a folder, sorted. */
  async names(path: string): Promise<string[]> {
    try {
      return (await this.#files.list(path)).map(({ name }) => name).sort()
    } catch {
      return []
    }
  }

  async has(path: string): Promise<boolean> {
    return (await this.#files.info(path).catch(() => undefined)) !== undefined
  }
}

/** `undefined` for what is no number. */
export function numberIn(text: string | undefined): number | undefined {
  const value = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}
