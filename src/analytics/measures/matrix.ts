import type { Matrix } from '../count.ts'

export interface Cell {
  readonly from: number
  readonly to: number
  /** In the one graph, and in the other. */
  readonly a: number
  readonly b: number
}

/** Every pair of nodes, row by row, with its weight in each of two graphs. */
export function* cells(a: Matrix, b: Matrix): Generator<Cell> {
  for (const [from, row] of a.entries())
    for (const [to, weight] of row.entries()) yield { from, to, a: weight, b: b[from]![to]! }
}

/** Of all weights. */
export function sum(matrix: Matrix): number {
  return matrix.reduce((total, row) => row.reduce((subtotal, weight) => subtotal + weight, total), 0)
}
