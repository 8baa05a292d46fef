import type { Ms, Us } from '../world/time.ts'

/** No release is older than this; to be set anew with each. */
const RELEASED_MS: Ms = Date.UTC(2026, 10, 1)
/** What is dated before this was dated by a clock that had not been set: nobody knows when it was. */
export const PLAUSIBLE_US: Us = Date.UTC(2020, 0, 1) * 1000
/** So much may a relay's clock be behind ours. */
const MARGIN_MS: Ms = 3_600_000

/** What a journal knows of the time at its end. */
export interface KnownTime {
  readonly boot: string
  /** Whether the system's clock was held to be right at some time in that boot. */
  readonly clockKnown?: boolean | undefined
  /** Wall time of the last record that was made while the time was held to be right, by whatever. */
  readonly certainUs?: Us | undefined
}

/** It cannot be earlier than this: a time before it is not believed, whoever says it. */
export function earliestMs(known?: KnownTime): Ms {
  return Math.max(RELEASED_MS, (known?.certainUs ?? 0) / 1000 - MARGIN_MS)
}
