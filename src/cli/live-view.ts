import type { Clock, Us } from '../world/time.ts'
import { type LiveRow, liveLine, liveTable } from './table.ts'
import type { StreamTally } from './tally.ts'
import type { Terminal } from './terminal.ts'

/** Rates are taken over this many looks. */
const LOOKS = 5

/** Shows what is being recorded: a table in place on a terminal, lines elsewhere. */
export class LiveView {
  private readonly terminal: Terminal
  private readonly clock: Clock
  private readonly looks: Array<{ readonly atUs: Us; readonly messages: ReadonlyMap<string, number> }> = []
  private shownLines = 0

  constructor(terminal: Terminal, clock: Clock) {
    this.terminal = terminal
    this.clock = clock
  }

  async show(tallies: readonly StreamTally[]): Promise<void> {
    const rows = this.look(tallies)
    if (!this.terminal.outIsTerminal) return this.terminal.out(liveLine(rows))
    const text = liveTable(rows, this.clock.wallUs())
    const back = this.shownLines > 0 ? `\x1b[${this.shownLines}A\x1b[J` : ''
    this.shownLines = text.split('\n').length - 1
    return this.terminal.out(back + text)
  }

  private look(tallies: readonly StreamTally[]): LiveRow[] {
    const atUs = this.clock.monoUs()
    this.looks.push({ atUs, messages: new Map(tallies.map(({ stream, messages }) => [stream, messages])) })
    if (this.looks.length > LOOKS) this.looks.shift()
    const [first] = this.looks
    const seconds = (atUs - (first?.atUs ?? atUs)) / 1e6
    return tallies.map(({ stream, heard, messages, lastUs, losses }) => ({
      stream,
      heard,
      messages,
      messagesPerSecond: seconds > 0 ? (messages - (first?.messages.get(stream) ?? 0)) / seconds : 0,
      lastUs,
      gaps: losses
    }))
  }
}
