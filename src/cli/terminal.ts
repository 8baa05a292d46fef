import type { World } from '../world/world.ts'

/** What a program has around it; `main.ts` makes it of the process, tests of strings. */
export interface Terminal {
  /** Writes to stdout; resolves when more can be taken. Rejects with EPIPE when nobody reads it any more. */
  out(data: Uint8Array | string): Promise<void>
  /** Writes to stderr. */
  err(text: string): void
  /** Whether a person looks at stdout. */
  readonly outIsTerminal: boolean
  /** Whether a person looks at stderr. */
  readonly errIsTerminal: boolean
  readonly input: AsyncIterable<Uint8Array>
  readonly env: Readonly<Record<string, string | undefined>>
  /** The numeric id of the user. */
  readonly uid: number
  /** Aborted when the program is asked to stop (SIGINT, SIGTERM). */
  readonly stop: AbortSignal
}

/** One call of a command: what it was given and what it has around it. */
export interface Call {
  readonly world: World
  readonly terminal: Terminal
  readonly options: Options
  readonly positionals: readonly string[]
}

/** The options given on the command line, by name. */
export class Options {
  private readonly values: Readonly<Record<string, OptionValue | undefined>>

  constructor(values: Readonly<Record<string, OptionValue | undefined>>) {
    this.values = values
  }

  /** Whether a switch was given. */
  has(name: string): boolean {
    return this.values[name] === true
  }

  text(name: string): string | undefined {
    const value = this.values[name]
    return typeof value === 'string' ? value : undefined
  }

  /** All values of an option that may be given several times. */
  texts(name: string): readonly string[] {
    const value = this.values[name]
    return Array.isArray(value) ? value.map(String) : []
  }
}

type OptionValue = string | boolean | Array<string | boolean>
