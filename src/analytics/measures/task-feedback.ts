import type { Matrix } from '../count.ts'
import { type Experiment, nodesOf } from '../experiments.ts'
import { cells } from './matrix.ts'

/** What a student still has to do for a task: nodes, and transitions as `one to other`, row by row. */
export interface TaskFeedback {
  /** Commands that were never repeated. */
  readonly hardware: string[]
  /** Commands that were not repeated often enough. */
  readonly hardware_freq: string[]
  /** Transitions that were never made. */
  readonly transition: string[]
  /** Transitions that were not made often enough. */
  readonly transition_freq: string[]
}

export function taskFeedback(exp: Experiment, student: Matrix, task: Matrix): TaskFeedback {
  const feedback: TaskFeedback = { hardware: [], hardware_freq: [], transition: [], transition_freq: [] }
  const nodes = nodesOf[exp]
  for (const { from, to, a, b } of cells(student, task)) {
    if (a >= b) continue
    if (from === to) feedback[a === 0 ? 'hardware' : 'hardware_freq'].push(nodes[from]!)
    else feedback[a === 0 ? 'transition' : 'transition_freq'].push(`${nodes[from]} to ${nodes[to]}`)
  }
  return feedback
}
