import type { Matrix } from '../count.ts'
import { type Experiment, nodesOf } from '../experiments.ts'
import { cells } from '../measures/matrix.ts'
import type { Model } from '../models.ts'

/** What is to be drawn: a student's graph, and a task's beside it. */
export interface Comparison {
  readonly exp: Experiment
  readonly course: string
  /** Whose it is, as people may see it. */
  readonly who: string
  readonly student: Matrix
  readonly task?: Pick<Model, 'name' | 'matrix'> | undefined
}

/** An edge that at least one of the two graphs has. */
export interface ComparedEdge {
  readonly from: string
  readonly to: string
  /** Its weights; 0 where the graph has it not. */
  readonly student: number
  readonly task: number
  /** What the student's graph lacks, or has too much of, beside the task's; of weights that only differ it is neither. */
  readonly kind: 'plain' | 'missing' | 'surplus'
}

/** Row by row. Without a task every edge is plain. */
export function comparedEdges({ exp, student, task }: Comparison): ComparedEdge[] {
  const nodes = nodesOf[exp]
  return [...cells(student, task?.matrix ?? student)].flatMap(({ from, to, a, b }) => {
    if (a === 0 && b === 0) return []
    const kind = a === 0 ? 'missing' : b === 0 ? 'surplus' : 'plain'
    return [{ from: nodes[from]!, to: nodes[to]!, student: a, task: task === undefined ? 0 : b, kind }]
  })
}

/** How an edge is called in a picture of the student's graph: the sign tells missing and surplus ones apart. */
export function edgeLabel({ kind, student, task }: ComparedEdge): string {
  if (kind === 'missing') return `−${task}`
  return kind === 'surplus' ? `+${student}` : String(student)
}

export function titleOf({ who, exp, course, task }: Comparison): string {
  return `${who} in ${exp} ${course}${task === undefined ? '' : `, beside ${task.name}`}`
}
