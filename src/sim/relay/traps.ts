import type { Ms } from '../../world/time.ts'

/** What a simulated relay does otherwise than usual. Each can be set for all streams or for one. */
export interface Traps {
  /**
   * Whether messages are joined into one frame. `natural`: those that arrive together, now and then, as the real relay
   * does; `always`: whatever arrives within 50 ms; `never`.
   */
  readonly join: 'natural' | 'always' | 'never'
  /** New websockets are accepted, and then nothing ever comes, as after a bad code. */
  readonly silent: boolean
  /** The codes that are given out do not work. */
  readonly badCodes: boolean
  /** What every POST is answered. */
  readonly refuse: { readonly status: number; readonly body: string; readonly contentType?: string } | undefined
  /** Every POST gets the friendly page of a captive portal: 200 text/html. */
  readonly portal: boolean
  /** Every POST is reset without an answer. */
  readonly noAnswer: boolean
  /** How long every POST waits for its answer. */
  readonly delayMs: Ms
  /** What `Date` is off by. */
  readonly dateOffsetMs: Ms
  /** Messages that are queued for a client that does not read; the rest is lost. */
  readonly queueLimit: number
}

export const noTraps: Traps = {
  join: 'natural',
  silent: false,
  badCodes: false,
  refuse: undefined,
  portal: false,
  noAnswer: false,
  delayMs: 0,
  dateOffsetMs: 0,
  queueLimit: 128
}
