import type { Report, StreamReport } from './report.ts'

/** 2026-11-02T08:00:00Z */
export const NOW_MS = Date.UTC(2026, 10, 2, 8)
export const DAY_MS = 86_400_000

export function stream(changes: Partial<StreamReport> = {}): StreamReport {
  return { stream: 'spin30', state: 'active', frames: 9, spoke: true, addedMs: NOW_MS - 90 * DAY_MS, ...changes }
}

/** A recorder of which all is well, but for what a test changes. */
export function report(changes: Partial<Report> = {}): Report {
  return {
    format: 1,
    version: '0.1.0',
    site: 'edinburgh',
    startedMs: NOW_MS - DAY_MS,
    nowMs: NOW_MS,
    inTerm: true,
    streams: [stream(), stream({ stream: 'spin31', state: 'quiet' })],
    problems: [],
    journal: { open: true, pendingBytes: 0, pendingMs: 0, damaged: [] },
    captures: [{ capture: 'daily', folder: '2026-11-01', waits: false }],
    sync: { configured: true, confirmed: 30, unconfirmed: 0, differing: [] },
    clock: { source: 'ntp', synchronised: true },
    machine: {
      uptimeMs: 30 * DAY_MS,
      disks: [{ use: 'data folder', freeBytes: 20e9, totalBytes: 32e9, minFreeBytes: 500e6 }]
    },
    ...changes
  }
}
