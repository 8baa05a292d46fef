import { nodesOf } from '../experiments.ts'
import { screenPositions } from '../positions.ts'
import { type ComparedEdge, type Comparison, comparedEdges, edgeLabel, titleOf } from './comparison.ts'
import { colours, widthOf } from './style.ts'

const styles = { plain: 'solid', missing: 'dotted', surplus: 'dashed' }
/** From the middle of the one graph to that of the other, in points. */
const APART = 640

/** For Graphviz; the nodes stand where the dashboard puts them with `neato -n`. */
export function dotOf(comparison: Comparison): string {
  const edges = comparedEdges(comparison)
  const { task } = comparison
  const most = Math.max(...edges.map((edge) => Math.max(edge.student, edge.task)), 1)
  const side = (name: string, label: string, offset: number, lines: readonly string[]): string[] => [
    `  subgraph ${quoted(`cluster_${name}`)} {`,
    `    label=${quoted(label)}`,
    ...nodesOf[comparison.exp].map((node) => {
      const { x, y } = screenPositions[comparison.exp][node]!
      // Graphviz has y upwards
      return `    ${quoted(`${name}:${node}`)} [label=${quoted(node)}, pos=${quoted(`${offset + x},${-y}`)}]`
    }),
    ...lines.map((line) => `    ${line}`),
    '  }'
  ]
  const edge = (
    name: string,
    { from, to }: ComparedEdge,
    kind: ComparedEdge['kind'],
    weight: number,
    label: string
  ): string =>
    `${quoted(`${name}:${from}`)} -> ${quoted(`${name}:${to}`)} [label=${quoted(label)}, style=${styles[kind]}, color=${quoted(colours[kind])}, penwidth=${widthOf(weight, most)}]`
  const own = edges.map((one) =>
    edge('student', one, one.kind, one.kind === 'missing' ? one.task : one.student, edgeLabel(one))
  )
  const tasks = edges.filter((one) => one.task > 0).map((one) => edge('task', one, 'plain', one.task, String(one.task)))
  return [
    'digraph {',
    `  label=${quoted(titleOf(comparison))}`,
    '  node [shape=circle]',
    ...side('student', comparison.who, 0, own),
    ...(task === undefined ? [] : side('task', task.name, APART, tasks)),
    '}',
    ''
  ].join('\n')
}

function quoted(text: string): string {
  const shown = text.toWellFormed().replace(/\p{Cc}/gu, ' ')
  return `"${shown.replace(/[\\"]/g, '\\$&')}"`
}
