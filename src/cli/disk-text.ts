import { UnderstudyError } from '../errors.ts'
import type { DiskReport } from '../journal/journal.ts'
import type { AwayStore } from '../journal/reading.ts'

/** What is wrong with the data disk, a line for each thing. */
export function diskProblems({ code, detail, away }: DiskReport): string[] {
  return [...(code ? [lineOf(new UnderstudyError(code, detail))] : []), ...awayText(away)]
}

/** What of the journal is passed over in all that is read. */
export function awayText(away: readonly AwayStore[]): string[] {
  if (away.length === 0) return []
  const stores = away.map(({ store, fromPosition, toPosition }) => `store ${store} (${fromPosition} to ${toPosition})`)
  return [lineOf(new UnderstudyError('UNDERSTUDY_DISK_AWAY', `passed over: ${stores.join(', ')}`))]
}

function lineOf({ code, message }: UnderstudyError): string {
  return `${code}: ${message}`
}
