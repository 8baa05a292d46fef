import { parseArgs } from 'node:util'
import { parseDuration } from '../config/units.ts'
import type { Ms, Us } from '../world/time.ts'
import { type Command, usage } from './command.ts'
import { Options } from './terminal.ts'

/**
 * Reads a command's arguments.
 * @throws UNDERSTUDY_USAGE for an unknown option, a missing value, or too few or too many operands
 */
export function readArguments(command: Command, args: readonly string[]): { options: Options; positionals: string[] } {
  const { values, positionals } = parsed(command, args)
  const options = new Options(values)
  if (options.has('help')) return { options, positionals }
  const { min, max } = command.operandCount
  if (positionals.length < min) usage(`${command.name} expects ${command.operands}`)
  if (positionals.length > max) usage(`${command.name} expects ${command.operands ?? 'no operands'}`)
  return { options, positionals }
}

function parsed(command: Command, args: readonly string[]): ReturnType<typeof parseArgs> {
  const entries = Object.entries(command.options).map(([name, { value, multiple }]) => [
    name,
    { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: multiple ?? false }
  ])
  const options = { ...Object.fromEntries(entries), help: { type: 'boolean' as const } }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    return usage((error as Error).message, error)
  }
}

/**
 * A moment as ISO 8601 writes it, with its zone (`2026-11-21T09:30:00Z`, `…+01:00`), or a date, which is its midnight
 * in UTC.
 * @throws UNDERSTUDY_USAGE
 */
export function readTime(option: string, text: string): Us {
  const isDate = /^\d{4}-\d\d-\d\d$/.test(text)
  const isMoment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  const us = isDate || isMoment ? Date.parse(text) * 1000 : Number.NaN
  // from the year 2255 on, µs are not exact any more
  if (!Number.isSafeInteger(us))
    usage(`--${option} expects a date or an ISO 8601 time with its zone, like 2026-11-21T09:30:00Z`)
  return us
}

/** The period named by `--from` and `--to`. */
export function readPeriod(options: Options): { fromUs?: Us; toUs?: Us } {
  const from = options.text('from')
  const to = options.text('to')
  const period = {
    ...(from !== undefined && { fromUs: readTime('from', from) }),
    ...(to !== undefined && { toUs: readTime('to', to) })
  }
  if ((period.fromUs ?? Number.NEGATIVE_INFINITY) > (period.toUs ?? Number.POSITIVE_INFINITY))
    usage('--from is after --to')
  return period
}

/**
 * A duration as people write it, like `30s`.
 * @throws UNDERSTUDY_USAGE
 */
export function readDuration(name: string, text: string): Ms {
  try {
    return parseDuration(text)
  } catch (error) {
    return usage(`${name} ${(error as Error).message}`, error)
  }
}

/**
 * A number above 0 and not above `max`.
 * @throws UNDERSTUDY_USAGE
 */
export function readNumber(name: string, text: string, max: number): number {
  const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (!(number > 0 && number <= max)) usage(`${name} expects a number above 0 and not above ${max}`)
  return number
}

/**
 * A whole number above 0.
 * @throws UNDERSTUDY_USAGE
 */
export function readCount(name: string, text: string, max: number = Number.MAX_SAFE_INTEGER): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(number > 0 && number <= max)) usage(`${name} expects a whole number above 0 and not above ${max}`)
  return number
}
