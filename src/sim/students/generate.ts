import type { Ms } from '../../world/time.ts'
import { Dice } from '../world/dice.ts'
import { encode } from './messages.ts'
import { students } from './student.ts'

/** 2026-11-02T08:00:00Z, a Monday. */
const defaultStartMs = Date.UTC(2026, 10, 2, 8)

export interface SentMessage {
  readonly stream: string
  /** When it is sent. */
  readonly tMs: Ms
  /** The JSON as it is sent. */
  readonly text: string
}

/**
 * What simulated students send, without any network: in order of time over all streams, as if each had its students.
 * The same seed gives the same messages.
 */
export function* messages(options: {
  seed: number
  /** Named like hardware: `pend…` are pendulums, the others spinners. */
  streams: readonly string[]
  count: number
  startMs?: Ms
}): Generator<SentMessage> {
  const dice = new Dice(options.seed)
  const startMs = options.startMs ?? defaultStartMs
  const queues = options.streams.map((stream) => {
    const steps = students(dice.fork(stream), stream)
    const next = steps.next().value
    return { stream, steps, next, tMs: startMs + next.afterMs }
  })
  for (let sent = 0; sent < options.count; sent += 1) {
    const queue = queues.reduce((first, other) => (other.tMs < first.tMs ? other : first))
    yield { stream: queue.stream, tMs: queue.tMs, text: encode(queue.next.message, queue.tMs) }
    queue.next = queue.steps.next().value
    queue.tMs += queue.next.afterMs
  }
}

/** Names like those of a lab: spin30, spin31, … */
export function spinners(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `spin${30 + i}`)
}
