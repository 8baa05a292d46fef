import type { Matrix } from '../count.ts'

/** For each node from how many nodes (itself too) an edge leads to it, in parts of all other nodes. */
export function inCentrality(matrix: Matrix): number[] {
  // the primary multiplies, and 3 · 0.2 is not 3 / 5
  const part = 1 / (matrix.length - 1)
  return matrix.map((_, node) => matrix.filter((row) => row[node]! > 0).length * part)
}
