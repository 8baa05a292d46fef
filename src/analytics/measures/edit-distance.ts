import type { Matrix } from '../count.ts'
import { cells } from './matrix.ts'

/** How many transitions have to be added or taken away to make one graph of the other. */
export function editDistance(a: Matrix, b: Matrix): number {
  let distance = 0
  for (const cell of cells(a, b)) distance += Math.abs(cell.a - cell.b)
  return distance
}
