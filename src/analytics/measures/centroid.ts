import type { Matrix } from '../count.ts'
import { type Experiment, nodesOf } from '../experiments.ts'
import { vertices } from '../positions.ts'

/**
 * The middle of a graph: its nodes' positions, each weighted by how many transitions lead to it.
 * @returns `undefined` when there are none
 */
export function centroid(exp: Experiment, matrix: Matrix): [x: number, y: number] | undefined {
  let [mass, x, y] = [0, 0, 0]
  for (const [node, name] of nodesOf[exp].entries()) {
    const arriving = matrix.reduce((total, row) => total + row[node]!, 0)
    mass += arriving
    x += arriving * vertices[exp][name]!.x
    y += arriving * vertices[exp][name]!.y
  }
  return mass === 0 ? undefined : [x / mass, y / mass]
}
