import type { Matrix } from '../count.ts'
import { type Costs, taskDistance, usualCosts } from './task-distance.ts'

/** As it was meant: only what is beyond the course counts. */
const meantCosts: Costs = { ...usualCosts, missing: 0, additional: 10 }

/** As the primary answers: its call passes each cost one place too far on. */
const answeredCosts: Costs = { missing: 10, additional: 2, loopFactor: 2, upper: -1, lower: -1 }

/**
 * How far a student went beyond a course.
 * @param all the course's graph; without one it is 0
 * @param corrected as it was meant, instead of as the primary answers
 * @returns `undefined` when the student has done nothing
 */
export function exploration(student: Matrix, all: Matrix | undefined, corrected = false): number | undefined {
  return all === undefined ? 0 : taskDistance(student, all, corrected ? meantCosts : answeredCosts)
}
