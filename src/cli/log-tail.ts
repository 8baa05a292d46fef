const MOST_LINES = 300
const MOST_LINE_LENGTH = 4000

/** What was logged last. */
export class LogTail {
  readonly #lines: string[] = []

  keep(line: string): void {
    this.#lines.push(line.trimEnd().slice(0, MOST_LINE_LENGTH))
    if (this.#lines.length > MOST_LINES) this.#lines.shift()
  }

  get lines(): readonly string[] {
    return this.#lines
  }
}
