import { type Comparison, comparedEdges } from './comparison.ts'

/** One line an edge, with its weights in both graphs. */
export function csvOf(comparison: Comparison): string {
  const rows = comparedEdges(comparison).map(({ from, to, student, task, kind }) =>
    [from, to, student, ...(comparison.task === undefined ? [] : [task, kind])].join(',')
  )
  const head = comparison.task === undefined ? 'from,to,student' : 'from,to,student,task,kind'
  return `${[head, ...rows].join('\n')}\n`
}
