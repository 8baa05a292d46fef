import type { Journal } from '../journal/journal.ts'
import type { Us } from '../world/time.ts'

/** The time, where it is known: then that of all that was recorded is too. */
export async function knownNowUs(journal: Journal): Promise<Us | undefined> {
  const stamp = journal.stamp()
  const timeline = await journal.timeline()
  if (!timeline.knows(stamp.boot)) return undefined
  return stamp.source === 'none' ? timeline.wallUs(stamp.boot, stamp.monoUs) : stamp.wallUs
}
