import type { Matrix } from '../count.ts'
import { states } from '../experiments.ts'
import { sum } from './matrix.ts'

const pleasant = states.indexOf('Delighted') + 1

/** How much oftener a student said something pleasant (engaged, curious, delighted) than anything else. */
export function enjoyment(feedback: Matrix): number {
  return sum(feedback.slice(0, pleasant)) - sum(feedback.slice(pleasant))
}
