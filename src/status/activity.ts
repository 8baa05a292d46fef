import type { Ms, Timers } from '../world/time.ts'
import { sleep } from '../world/time.ts'
import type { JournalView, StatusSources } from './sources.ts'

/** A quarter of an hour: midnight of every time zone is at the border of one. */
export const BIN_MS: Ms = 900_000
const KEPT_MS: Ms = 25 * 3_600_000
/** Between two readings of what is counted afterwards: recording comes first. */
const PAUSE_MS = 20

/** How many frames of each stream came when, over the last day. */
export class Activity {
  readonly #timers: Timers
  readonly #report: StatusSources['report']
  /** By stream, then by the number of the bin since 1970. */
  readonly #bins = new Map<string, Map<number, number>>()
  /** Of the report, when it was last looked at. */
  readonly #frames = new Map<string, number>()
  readonly #stopping = new AbortController()

  constructor(timers: Timers, report: StatusSources['report']) {
    this.#timers = timers
    this.#report = report
  }

  /** What is recorded from now on is counted, and what was recorded within a day. Never rejects. */
  async start(journal: JournalView): Promise<void> {
    const { nowMs } = this.#report()
    this.look()
    const range = journal.range({ fromUs: (nowMs - KEPT_MS) * 1000, before: journal.nextPosition })
    try {
      for await (const frames of range) {
        for (const { stream, origin, trueUs, wallUs } of frames) {
          if (origin === 'relay') this.#add(stream, Math.floor((trueUs ?? wallUs) / 1000), 1)
        }
        await sleep(this.#timers, PAUSE_MS, this.#stopping.signal)
        if (this.#stopping.signal.aborted) return
      }
    } catch {
      // What cannot be read is told by those who must read it.
    }
  }

  stop(): void {
    this.#stopping.abort()
  }

  /** Counts what has come since the last look. */
  look(): void {
    const { streams, nowMs } = this.#report()
    for (const { stream, frames } of streams) {
      const before = this.#frames.get(stream) ?? 0
      this.#frames.set(stream, frames)
      // A stream that was taken away and added again begins anew.
      if (frames !== before) this.#add(stream, nowMs, frames > before ? frames - before : frames)
    }
  }

  /** Of the bins that begin in a period, the oldest first. */
  counts(stream: string, fromMs: Ms, toMs: Ms): number[] {
    const bins = this.#bins.get(stream)
    const [from, to] = [Math.ceil(fromMs / BIN_MS), Math.ceil(toMs / BIN_MS)]
    return Array.from({ length: Math.max(0, to - from) }, (_, index) => bins?.get(from + index) ?? 0)
  }

  total(stream: string, fromMs: Ms, toMs: Ms): number {
    return this.counts(stream, fromMs, toMs).reduce((sum, count) => sum + count, 0)
  }

  #add(stream: string, atMs: Ms, count: number): void {
    const bins = this.#bins.get(stream) ?? new Map<number, number>()
    this.#bins.set(stream, bins)
    const bin = Math.floor(atMs / BIN_MS)
    const isNew = !bins.has(bin)
    bins.set(bin, (bins.get(bin) ?? 0) + count)
    if (isNew) for (const old of bins.keys()) if (old < bin - KEPT_MS / BIN_MS) bins.delete(old)
  }
}
