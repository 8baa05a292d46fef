import type { Us } from '../world/time.ts'
import type { Capture } from './filing.ts'
import type { Ledger, Progress } from './ledger.ts'
import type { Window } from './schedule.ts'

/** So long after its end a window is sealed by itself: only then every stream has proved that it was heard to the end. */
export const SETTLE_US = 60_000_000

/** The windows of a capture that have ended and are not, or not wholly, sealed. */
export function dueOf(
  { name, schedule }: Capture,
  nowUs: Us,
  ledger: Ledger,
  progress: Progress | undefined
): Window[] {
  const due = new Map<string, Window>()
  for (const window of progress?.open[name] ?? []) if (window.toUs <= nowUs) due.set(window.label, window)
  const beginUs = progress?.begun[name]
  if (beginUs === undefined) return [...due.values()]
  const latestUs = ledger.latestUs(name)
  let window =
    latestUs === undefined || latestUs < beginUs
      ? (schedule.holding(beginUs)[0] ?? schedule.after(beginUs))
      : schedule.after(latestUs)
  for (; window && window.fromUs < nowUs; window = schedule.after(window.fromUs)) {
    const isMade = ledger.parts(name, window.label).some((part) => part.window?.fromUs === window?.fromUs)
    if (window.toUs <= nowUs && !isMade) due.set(window.label, window)
  }
  return [...due.values()]
}

/** When the next window ends after a time. */
export function nextEndUs(captures: readonly Capture[], afterUs: Us, progress: Progress | undefined): Us {
  const ends = captures.flatMap((capture) => [
    ...(progress?.open[capture.name] ?? []).map(({ toUs }) => toUs),
    ...capture.windowsAt(afterUs).map(({ toUs }) => toUs),
    capture.schedule.after(afterUs)?.toUs ?? Number.POSITIVE_INFINITY
  ])
  return Math.min(...ends.filter((endUs) => endUs > afterUs))
}
