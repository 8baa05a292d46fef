import type { Us } from '../world/time.ts'
import { dueOf } from './due.ts'
import type { Capture } from './filing.ts'
import type { Ledger, LedgerEntry, Progress } from './ledger.ts'
import type { Window } from './schedule.ts'

/** How a capture stands. */
export interface CaptureStatus {
  readonly capture: string
  readonly schedule: string
  readonly timeZone: string
  readonly sealed: ReadonlyArray<
    Pick<LedgerEntry, 'folder' | 'confirmed' | 'removed' | 'timeSources'> & { readonly fromUs?: Us; readonly toUs?: Us }
  >
  /** Ended, and not sealed yet; absent while the time is not known. */
  readonly due?: readonly Window[]
  readonly running?: readonly Window[]
  readonly next?: Window
  /** Since when it waits for the time, in µs of monotonic time; 0 while it is known. */
  readonly waitingUs: Us
  /** What is being sealed now. */
  readonly sealing?: string
}

/** @param nowUs absent while the time is not known */
export function statusOf(
  capture: Capture,
  ledger: Ledger,
  progress: Progress | undefined,
  nowUs: Us | undefined
): CaptureStatus {
  const { name, schedule } = capture
  const next = nowUs === undefined ? undefined : schedule.after(nowUs)
  return {
    capture: name,
    schedule: schedule.expression,
    timeZone: schedule.zone.name,
    sealed: ledger.entries(name).map(({ folder, confirmed, removed, timeSources, window }) => {
      const period = window && { fromUs: window.fromUs, toUs: window.toUs }
      return { folder, confirmed, removed, ...(timeSources && { timeSources }), ...period }
    }),
    ...(nowUs !== undefined && { due: dueOf(capture, nowUs, ledger, progress), running: schedule.holding(nowUs) }),
    ...(next && { next }),
    waitingUs: nowUs === undefined ? (progress?.heldUs ?? 0) : 0
  }
}
