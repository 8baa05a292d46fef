import type { Positions } from '../journal/reading.ts'
import type { SeriesReader } from '../journal/series-reader.ts'
import type { Progress } from './ledger.ts'

/**
 * Adds to what was passed over what has become unreadable since it was gone through. It is not sealed now, whatever of it
 * can still be read, and comes to its windows when all of it can be read again.
 */
export function withAwaited(progress: Progress, journal: Pick<SeriesReader, 'awaited'>, among: Positions): Progress {
  const { place } = progress
  const skipped: readonly Positions[] = place.skipped ?? []
  const more = without(journal.awaited(among), skipped)
  return more.length === 0 ? progress : { ...progress, place: { ...place, skipped: [...skipped, ...more] } }
}

/** What is left of some positions without others. */
function without(some: readonly Positions[], others: readonly Positions[]): Positions[] {
  let left = [...some]
  for (const { from, to } of others) {
    left = left
      .flatMap((one) => [
        { from: one.from, to: Math.min(one.to, from) },
        { from: Math.max(one.from, to), to: one.to }
      ])
      .filter((one) => one.from < one.to)
  }
  return left
}
