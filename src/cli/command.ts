import { UnderstudyError } from '../errors.ts'
import type { Call } from './terminal.ts'

/** An option as the command line takes it and as the help tells of it. */
export interface Option {
  /** What its value is called in the help, e.g. `FILE`; a switch has none. */
  readonly value?: string
  /** It may be given several times. */
  readonly multiple?: boolean
  /** A sentence or two. */
  readonly help: string
}

export interface Command {
  readonly name: string
  /** What it does, in a few words, without a full stop. */
  readonly summary: string
  /** What stands between the options in the synopsis, e.g. `STREAM DIR SECONDS`. */
  readonly operands?: string
  /** How many operands it takes. */
  readonly operandCount: { readonly min: number; readonly max: number }
  /** Paragraphs. */
  readonly description: readonly string[]
  readonly options: Readonly<Record<string, Option>>
  /** Exit codes besides 0 and 2, with their meaning. */
  readonly exits: Readonly<Record<number, string>>
  /** Command lines (without the program's name) and what they do. */
  readonly examples: ReadonlyArray<readonly [line: string, what: string]>
  /** Gives the exit code. */
  run(call: Call): Promise<number>
}

/** Options of every command that touches a data folder. */
export const dataOptions = {
  config: {
    value: 'FILE',
    help: 'The config file; default $UNDERSTUDY_CONFIG, else /etc/understudy/understudy.toml where it exists.'
  },
  data: {
    value: 'DIR',
    help: 'The data folder, which holds the journal; default $UNDERSTUDY_DATA, else /var/lib/understudy. Where root calls what writes into it, that acts as whom the folder belongs to.'
  }
} as const satisfies Record<string, Option>

/** Options of every command that connects to the relay. */
export const relayOptions = {
  ...dataOptions,
  credentials: {
    value: 'DIR',
    help: 'The folder of log.access.* and log.token.* files; default $UNDERSTUDY_CREDENTIALS, else /etc/practable.'
  }
} as const satisfies Record<string, Option>

export const jsonOption = { json: { help: 'Print JSON instead of a text for people.' } } as const satisfies Record<
  string,
  Option
>

/** @throws UNDERSTUDY_USAGE */
export function usage(detail: string, cause?: unknown): never {
  throw new UnderstudyError('UNDERSTUDY_USAGE', detail, { cause })
}
