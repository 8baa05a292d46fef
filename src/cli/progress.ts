import type { Terminal } from './terminal.ts'

/** A line on a terminal that tells how far long work has come; nothing at all where no person looks on. */
export class Progress {
  private readonly terminal: Terminal
  private readonly what: string
  private shown = ''

  constructor(terminal: Terminal, what: string) {
    this.terminal = terminal
    this.what = what
  }

  /**
   * @param share from 0 to 1
   * @throws the reason to stop, when the program has been asked to
   */
  update(share: number): void {
    this.terminal.stop.throwIfAborted()
    if (!this.terminal.errIsTerminal) return
    const done = Math.round(Math.min(Math.max(share, 0), 1) * 40)
    const text = `${this.what} [${'#'.repeat(done)}${' '.repeat(40 - done)}] ${Math.floor((done / 40) * 100)} %`
    if (text !== this.shown) this.terminal.err(`\r${text}`)
    this.shown = text
  }

  /** Takes the line away. */
  end(): void {
    if (this.shown !== '') this.terminal.err('\r\x1b[K')
    this.shown = ''
  }
}
