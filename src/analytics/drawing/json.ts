import { nodesOf } from '../experiments.ts'
import { editDistance } from '../measures/edit-distance.ts'
import { taskDistance } from '../measures/task-distance.ts'
import { screenPositions } from '../positions.ts'
import { type Comparison, comparedEdges } from './comparison.ts'

/** The graph and what it is beside the task's, for programs. */
export function jsonOf(comparison: Comparison): object {
  const { exp, course, who, student, task } = comparison
  return {
    user: who,
    exp,
    course,
    nodes: nodesOf[exp].map((name) => ({ name, ...screenPositions[exp][name]! })),
    edges: comparedEdges(comparison).map(({ task: weight, kind, ...edge }) =>
      task === undefined ? edge : { ...edge, task: weight, kind }
    ),
    ...(task !== undefined && {
      task: task.name,
      task_distance: taskDistance(student, task.matrix) ?? null,
      edit_distance: editDistance(student, task.matrix)
    })
  }
}
