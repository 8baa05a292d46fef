import { pino } from 'pino'
import { systemCode, UnderstudyError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Clock } from '../world/time.ts'
import type { Call } from './terminal.ts'

/** pino's levels and journald's priorities for them. */
const priorities = new Map([
  [20, 7],
  [30, 6],
  [40, 4],
  [50, 3]
])

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  /** Begin each line with its priority, as journald reads it. */
  readonly priorities: boolean
  readonly clock: Clock
  readonly write: (line: string) => void
}

/** One line of JSON per event. */
export function createLogger({ level, clock, write, ...options }: LoggerOptions): Log {
  // pino tells a stream that asks for it the level of the line it writes
  const stream = {
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    write(line: string): void {
      write(options.priorities ? `<${priorities.get(this.lastLevel) ?? 6}>${line}` : line)
    }
  }
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date(clock.wallUs() / 1000).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError }
    },
    stream
  )
}

/** For a command that records or opens the journal by itself: to standard error, where its caller looks. */
export function createCommandLogger(level: LoggerOptions['level'], { world, terminal }: Call): Log {
  return createLogger({ level, priorities: false, clock: world.clock, write: (line) => terminal.err(line) })
}

/** What may be told of an error. The text of one that is neither ours nor the system's may quote what it failed on. */
export function describeError(error: unknown): object {
  const told = error instanceof UnderstudyError || systemCode(error) !== undefined
  const { name, message, stack = '', cause } = error as Error
  return {
    name,
    code: systemCode(error),
    message: told ? message : undefined,
    at: stack
      .split('\n')
      .filter((line) => /^\s+at /.test(line))
      .map((line) => line.trim()),
    cause: cause === undefined ? undefined : describeError(cause)
  }
}
