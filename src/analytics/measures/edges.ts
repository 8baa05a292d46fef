import type { Matrix } from '../count.ts'
import { sum } from './matrix.ts'

/**
 * A student's transitions in percent of a course's.
 * @param all the course's graph; without one it is 0
 */
export function edges(student: Matrix, all: Matrix | undefined): number {
  return all === undefined ? 0 : (100 * sum(student)) / sum(all)
}
