import { type Experiment, isExperiment, nodeIndex, states, subjectsOf } from './experiments.ts'

/** Why a message that should count does not. */
export type Skip =
  | 'no user'
  | 'no experiment'
  | 'no course'
  | 'no hardware'
  | 'name too long'
  | 'unknown experiment'
  | 'no command'
  | 'no state or subject'

/** Whom a graph or a feedback table is of. */
export interface Key {
  readonly user: string
  readonly exp: Experiment
  readonly course: string
}

export type Counted =
  | {
      readonly kind: 'command'
      readonly key: Key
      readonly hardware: string
      /** Its place among the experiment's nodes. */
      readonly node: number
      /** The browser's time, ms since 1970; absent when it is missing or absurd. */
      readonly tMs: number | undefined
    }
  | { readonly kind: 'feedback'; readonly key: Key; readonly state: number; readonly subject: number }

const MAX_NAME_LENGTH = 256
/** In the year 2255: the last that µs count exactly. */
const LATEST_MS = 9_007_199_254_740

/**
 * What a parsed message counts as: a command (`type` analytics) or feedback; a reason when it should count and does
 * not; `undefined` for every other message. Takes any value.
 */
export function readCounted(message: unknown): Counted | Skip | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { type, user, exp, course, hardware, payload, t } = message as Record<string, unknown>
  if (type !== 'analytics' && type !== 'feedback') return undefined
  if (!isName(user)) return 'no user'
  if (!isName(exp)) return 'no experiment'
  if (!isName(course)) return 'no course'
  if (type === 'analytics' && !isName(hardware)) return 'no hardware'
  if ([user, exp, course, hardware].some((name) => isName(name) && name.length > MAX_NAME_LENGTH))
    return 'name too long'
  if (!isExperiment(exp)) return 'unknown experiment'
  const key = { user, exp, course }
  const { log, state, subject } = (payload ?? {}) as Record<string, unknown>
  if (type === 'feedback') return feedback(key, state, subject)
  const node = typeof log === 'string' ? nodeIndex(exp, log) : -1
  if (node < 0) return 'no command'
  const tMs = typeof t === 'number' && t >= 0 && t < LATEST_MS ? t : undefined
  return { kind: 'command', key, hardware: hardware as string, node, tMs }
}

function feedback(key: Key, state: unknown, subject: unknown): Counted | Skip {
  const row = (states as readonly unknown[]).indexOf(state)
  const column = (subjectsOf(key.exp, key.course) as readonly unknown[]).indexOf(subject)
  return row < 0 || column < 0 ? 'no state or subject' : { kind: 'feedback', key, state: row, subject: column }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
