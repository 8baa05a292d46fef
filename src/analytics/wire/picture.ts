import type { Matrix } from '../count.ts'
import { type Experiment, nodesOf } from '../experiments.ts'
import { inCentrality } from '../measures/in-centrality.ts'
import { screenPositions } from '../positions.ts'

/** A graph as the dashboard draws it. All nodes are there, since an empty list of nodes blanks its picture. */
export function picture(exp: Experiment, matrix: Matrix): { nodes: object[]; edges: object[]; node_info: object } {
  const nodes: readonly string[] = nodesOf[exp]
  const centrality = inCentrality(matrix)
  return {
    nodes: nodes.map((name) => {
      const { x, y } = screenPositions[exp][name]!
      return { color: '#97c2fc', x, y, physics: false, size: 10, id: name, label: name, shape: 'dot' }
    }),
    edges: nodes.flatMap((from, row) =>
      nodes.flatMap((to, column) => {
        const width = matrix[row]![column]!
        return width > 0 ? [{ label: String(width), width, from, to, arrows: 'to' }] : []
      })
    ),
    node_info: { in_centrality: Object.fromEntries(nodes.map((name, index) => [name, centrality[index]!])) }
  }
}
