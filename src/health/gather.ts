import type { CaptureStatus } from '../captures/capture-status.ts'
import type { SyncStatus } from '../sync/sync.ts'
import type { Ms, Us } from '../world/time.ts'
import type { HealthMemory } from './memory.ts'
import type { CaptureReport, JournalReport, StreamReport, SyncReport } from './report.ts'
import type { JournalFacts, StreamFacts } from './rooms.ts'

/** A stream without a message for so long is quiet. */
const QUIET_US = 10 * 60_000_000

export function streamReport(
  { stream, heard, sinceUs, cause, code, frames, lastUs, tokenExpiresMs, spoke }: StreamFacts,
  at: { nowUs: Us; monoUs: Us },
  memory: HealthMemory | undefined
): StreamReport {
  const isActive = lastUs !== undefined && at.nowUs - lastUs < QUIET_US
  const remembered = memory?.of(stream)
  return {
    stream,
    state: heard ? (isActive ? 'active' : 'quiet') : 'unheard',
    ...(!heard && { unheardSinceMs: Math.floor((at.nowUs - (at.monoUs - sinceUs)) / 1000), cause, code }),
    frames,
    lastFrameMs: lastUs === undefined ? undefined : Math.floor(lastUs / 1000),
    addedMs: remembered?.addedMs,
    spoke: spoke || frames > 0 || remembered?.spoke === true,
    tokenExpiresMs
  }
}

export function journalReport({ open, failure, pendingBytes, pendingMs, damaged, disk }: JournalFacts): JournalReport {
  const dataDisk =
    disk?.mount === undefined ? undefined : { used: disk.used, code: disk.code, storesAway: disk.away.length }
  return { open, failure, pendingBytes, pendingMs, damaged, dataDisk }
}

export function captureReport({ capture, sealed, due = [], waitingUs }: CaptureStatus): CaptureReport {
  const ends = due.map(({ toUs }) => toUs)
  return {
    capture,
    folder: sealed.at(-1)?.folder,
    dueSinceMs: ends.length === 0 ? undefined : Math.floor(Math.min(...ends) / 1000),
    waits: waitingUs > 0
  }
}

export function syncReport(
  { confirmed, unsent, waiting, behindSinceMs, differing, failure, doneMs }: SyncStatus,
  configured: boolean
): SyncReport {
  return {
    configured,
    confirmed,
    unconfirmed: unsent.length + waiting.length,
    behindSinceMs,
    differing,
    failure: failure && { code: failure.code, sinceMs: failure.sinceMs, nextMs: failure.nextMs },
    doneMs
  }
}

/** `2026-12-18` comes before `2026-12-19`, so days compare as text. */
export function isInTerm(terms: readonly { readonly from: string; readonly to: string }[], wallMs: Ms): boolean {
  const today = new Date(wallMs).toISOString().slice(0, 10)
  return terms.length === 0 || terms.some(({ from, to }) => from <= today && today <= to)
}
