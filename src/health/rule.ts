import type { Limits } from './limits.ts'
import type { Report } from './report.ts'
import type { Reason } from './verdict.ts'

export type Finding = Omit<Reason, 'code'>

/** One line of the table in docs/health.md: what is looked at, where the line is, what is said and what is to be done. */
export interface Rule {
  readonly code: string
  readonly look: (report: Report, limits: Limits) => readonly Finding[]
  /** What several findings are together, for the sentence. */
  readonly together?: (count: number, report: Report) => string
}

/** A finding, or none. */
export function when(isSo: boolean, finding: () => Finding): readonly Finding[] {
  return isSo ? [finding()] : []
}

/** `2026-12-03`, in UTC. */
export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
