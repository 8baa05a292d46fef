import type { Ms } from '../world/time.ts'

/**
 * `ok`: everything is being kept. `attention`: it is, and something needs a person within days. `failing`: something is
 * being lost, or will be within a day.
 */
export type VerdictState = 'ok' | 'attention' | 'failing'

export interface Verdict {
  readonly state: VerdictState
  /** All of it in one sentence. */
  readonly sentence: string
  /** The worst first. Notes are worth knowing and change nothing. */
  readonly reasons: readonly Reason[]
}

export interface Reason {
  /** The rule that found it, as in docs/health.md. */
  readonly code: string
  readonly state: 'note' | 'attention' | 'failing'
  /** What is so; it says nothing that changes from minute to minute. */
  readonly text: string
  /** What to do. */
  readonly todo: string
  readonly stream?: string | undefined
  /** Since when, where that is known. */
  readonly sinceMs?: Ms | undefined
}

/** What a verdict comes to, for who is to be told only of another one: which rules find what. Notes come and go. */
export function findingsOf({ state, reasons }: Verdict): string {
  const told = reasons.filter((reason) => reason.state !== 'note')
  return JSON.stringify([state, ...told.map((reason) => [reason.code, reason.state, reason.stream ?? '']).sort()])
}
