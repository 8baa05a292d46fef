import type { Matrix } from '../count.ts'
import { cells, sum } from './matrix.ts'

/** What the parts of a task distance cost. */
export interface Costs {
  /** An edge of the task that the student has not. */
  readonly missing: number
  /** An edge of the student's that the task has not. */
  readonly additional: number
  /** How much dearer both are on a self-loop. */
  readonly loopFactor: number
  /** From so many times too much on, an edge counts as additional. */
  readonly upper: number
  /** From so many times too little on (negative), an edge counts as missing. */
  readonly lower: number
}

/** As the primary calls them: a, b, p, u, l. */
export const usualCosts: Costs = { missing: 10, additional: 1, loopFactor: 2, upper: 2, lower: -1 }

/**
 * How far a student's graph is from a task's. Edges that one of them has not are added up; what both have in different
 * weight costs the mean of what each would, once.
 * @returns `undefined` when the student has done nothing
 */
export function taskDistance(student: Matrix, task: Matrix, costs = usualCosts): number | undefined {
  if (sum(student) === 0) return undefined
  let distance = 0
  const differing: number[] = []
  for (const { from, to, a, b } of cells(student, task)) {
    const factor = from === to ? costs.loopFactor : 1
    if (a === 0 && b !== 0) distance += factor * costs.missing
    else if (a !== 0 && b === 0) distance += factor * costs.additional
    else if (a !== b) differing.push(weightCost((a - b) / b, costs))
  }
  if (differing.length === 0) return distance
  return distance + differing.reduce((total, cost) => total + cost, 0) / differing.length
}

/**
 * In this order: with an `upper` below 0, as the primary's exploration has it, too little costs what too much does.
 * @param difference relative to the task's weight
 */
function weightCost(difference: number, { missing, additional, upper, lower }: Costs): number {
  if (difference > upper) return additional
  if (difference >= 0) return (additional * difference) / upper
  return difference >= lower ? (missing * -difference) / -lower : missing
}
