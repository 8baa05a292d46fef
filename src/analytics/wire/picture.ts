import type { Matrix } from '../count.ts'
import type { Experiment } from '../experiments.ts'
import { graphOf } from '../graph.ts'
import { inCentrality } from '../measures/in-centrality.ts'
import { screenPositions } from '../positions.ts'

/** A graph as the dashboard draws it. All nodes are there, since an empty list of nodes blanks its picture. */
export function picture(exp: Experiment, matrix: Matrix): { nodes: object[]; edges: object[]; node_info: object } {
  const graph = graphOf(exp, matrix)
  const centrality = inCentrality(matrix)
  return {
    nodes: graph.mapNodes((name) => {
      const { x, y } = screenPositions[exp][name]!
      return { color: '#97c2fc', x, y, physics: false, size: 10, id: name, label: name, shape: 'dot' }
    }),
    edges: graph.mapEdges((_, { weight: width }, from, to) => ({
      label: String(width),
      width,
      from,
      to,
      arrows: 'to'
    })),
    node_info: { in_centrality: Object.fromEntries(graph.nodes().map((name, index) => [name, centrality[index]!])) }
  }
}
