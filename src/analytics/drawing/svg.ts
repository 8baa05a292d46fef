import { type Experiment, nodesOf } from '../experiments.ts'
import { type Position, screenPositions } from '../positions.ts'
import { type ComparedEdge, type Comparison, comparedEdges, edgeLabel, titleOf } from './comparison.ts'
import { arc, loop, type Stroke } from './strokes.ts'
import { colours, widthOf } from './style.ts'

/** Of one graph's picture, in pixels; its middle is the dashboard's. */
const SIZE = 620
const LEGEND = 70

const dashes: Readonly<Record<ComparedEdge['kind'], string>> = { plain: 'none', missing: '2 7', surplus: '14 6' }

export interface SvgOptions {
  /** What ids in the picture begin with: another for each of several pictures in one page. */
  readonly id?: string
}

/** A picture for people: nodes where the dashboard puts them. It holds no script and refers to nothing outside. */
export function svgOf(comparison: Comparison, { id = 'graph' }: SvgOptions = {}): string {
  const { exp, task } = comparison
  const edges = comparedEdges(comparison)
  const most = Math.max(...edges.map((edge) => Math.max(edge.student, edge.task)), 1)
  const own = edges.map((edge) => ({
    ...edge,
    weight: edge.kind === 'missing' ? edge.task : edge.student,
    label: edgeLabel(edge)
  }))
  const model = edges
    .filter((edge) => edge.task > 0)
    .map((edge) => ({ ...edge, kind: 'plain' as const, weight: edge.task, label: String(edge.task) }))
  const width = task === undefined ? SIZE : 2 * SIZE
  const height = SIZE + (task === undefined ? 0 : LEGEND)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="${escaped(id)}-title ${escaped(id)}-desc" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="15">`,
    `<title id="${escaped(id)}-title">${escaped(titleOf(comparison))}</title>`,
    `<desc id="${escaped(id)}-desc">${escaped(description(comparison, edges))}</desc>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...panel(exp, comparison.who, own, most, 0),
    ...(task === undefined ? [] : [...panel(exp, task.name, model, most, SIZE), ...legend()]),
    '</svg>',
    ''
  ].join('\n')
}

interface DrawnEdge extends Pick<ComparedEdge, 'from' | 'to' | 'kind'> {
  readonly weight: number
  readonly label: string
}

function panel(exp: Experiment, heading: string, edges: readonly DrawnEdge[], most: number, left: number): string[] {
  const at = screenPositions[exp]
  const drawn = edges.map((edge) => {
    const stroke = edge.from === edge.to ? loop(at[edge.from]!) : arc(at[edge.from]!, at[edge.to]!)
    return { stroke, text: edge.label, ...pen(edge, most) }
  })
  return [
    `<text x="${left + SIZE / 2}" y="30" text-anchor="middle" font-weight="bold">${escaped(heading)}</text>`,
    `<g transform="translate(${left + SIZE / 2} ${SIZE / 2 + 10})">`,
    ...drawn.map(({ stroke, attributes, colour }) => line(stroke, attributes, colour)),
    ...nodesOf[exp].map((name) => node(name, at[name]!)),
    ...drawn.map(({ stroke, text, colour }) => label(stroke.label, text, colour)),
    '</g>'
  ]
}

function pen({ kind, weight }: DrawnEdge, most: number): { colour: string; attributes: string } {
  const colour = colours[kind]
  const dash = dashes[kind] === 'none' ? '' : ` stroke-dasharray="${dashes[kind]}"`
  return { colour, attributes: `stroke="${colour}" stroke-width="${widthOf(weight, most)}"${dash}` }
}

function line({ path, head }: Stroke, attributes: string, colour: string): string {
  return `<path d="${path}" fill="none" ${attributes}/><path d="${head}" fill="${colour}"/>`
}

function node(name: string, { x, y }: Position): string {
  const [atX, atY] = [round(x), round(y)]
  // towards the middle, since loops reach outwards, and clear of the heads of arrows
  const nameY = y > 0 ? atY - 29 : atY + 38
  return `<circle cx="${atX}" cy="${atY}" r="10" fill="#97c2fc" stroke="#2b5f9e"/>${text(name, atX, nameY, '#111111')}`
}

function label({ x, y }: Position, said: string, colour: string): string {
  return text(said, round(x), round(y) + 5, colour)
}

/** Readable on whatever lies below it. */
function text(said: string, x: number, y: number, colour: string): string {
  return `<text x="${x}" y="${y}" text-anchor="middle" fill="${colour}" stroke="#ffffff" stroke-width="4" paint-order="stroke">${escaped(said)}</text>`
}

function legend(): string[] {
  const kinds = [
    { kind: 'plain', said: '12: in both', x: 40 },
    { kind: 'missing', said: '−12: missing, with the weight that it has in the task', x: 300 },
    { kind: 'surplus', said: '+12: additional, the task has it not', x: 840 }
  ] as const
  return kinds.map(({ kind, said, x }) => {
    const y = SIZE + LEGEND / 2
    const { attributes } = pen({ from: '', to: '', kind, weight: 1, label: '' }, 4)
    return `<path d="M${x} ${y}h60" ${attributes}/><text x="${x + 70}" y="${y + 5}" fill="${colours[kind]}">${said}</text>`
  })
}

/** For people who hear the picture instead of seeing it. */
function description({ task }: Comparison, edges: readonly ComparedEdge[]): string {
  const listed = (kind: ComparedEdge['kind'], weight: 'student' | 'task'): string =>
    edges
      .filter((edge) => edge.kind === kind)
      .map((edge) => `${edge.from} to ${edge.to} (${edge[weight]})`)
      .join(', ') || 'none'
  if (task === undefined) return `Transitions: ${listed('plain', 'student')}.`
  return `Transitions in both: ${listed('plain', 'student')}. Missing: ${listed('missing', 'task')}. Additional: ${listed('surplus', 'student')}.`
}

/** For XML, which cannot hold every character. */
function escaped(text: string): string {
  const kept = text.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
  return kept.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
