import { DirectedGraph } from 'graphology'
import type { Matrix } from './count.ts'
import { type Experiment, nodesOf } from './experiments.ts'

/** Commands as nodes, and how often each followed each other as the weights of edges. */
export type CommandGraph = DirectedGraph<Record<string, never>, { weight: number }>

/** The graph of a matrix: with every node of the experiment, in order, and the edges that there are. */
export function graphOf(exp: Experiment, matrix: Matrix): CommandGraph {
  const graph: CommandGraph = new DirectedGraph()
  const nodes = nodesOf[exp]
  for (const node of nodes) graph.addNode(node)
  for (const [from, row] of matrix.entries()) {
    for (const [to, weight] of row.entries()) if (weight > 0) graph.addEdge(nodes[from], nodes[to], { weight })
  }
  return graph
}
