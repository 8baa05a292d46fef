import type { Position } from '../positions.ts'

/** A line with an arrow's head at its end, as SVG draws it, and where its label goes. */
export interface Stroke {
  readonly path: string
  readonly head: string
  readonly label: Position
}

/** Of a node. */
const RADIUS = 10
const HEAD_LENGTH = 13
const HEAD_HALF = 6.5
/** How far a curve leaves the straight line, in parts of its length: so there and back are two lines. */
const BEND = 0.14
/** How far a loop reaches out from its node's middle. */
const LOOP_REACH = 84

/** From one node to another. */
export function arc(from: Position, to: Position): Stroke {
  const control = plus(middle(from, to), scaled(turned(minus(to, from)), BEND))
  const start = plus(from, scaled(unit(minus(control, from)), RADIUS))
  const { end, head } = arrow(control, to)
  return {
    path: `M${point(start)}Q${point(control)} ${point(end)}`,
    head,
    label: middle(control, middle(from, to))
  }
}

/** From a node to itself, outwards. */
export function loop(at: Position): Stroke {
  const outwards = unit(at)
  const sideways = turned(outwards)
  const reach = plus(at, scaled(outwards, LOOP_REACH))
  const [first, second] = [plus(reach, scaled(sideways, -45)), plus(reach, scaled(sideways, 45))]
  const start = plus(at, scaled(unit(minus(first, at)), RADIUS))
  const { end, head } = arrow(second, at)
  return {
    path: `M${point(start)}C${point(first)} ${point(second)} ${point(end)}`,
    head,
    // a cubic reaches three quarters of the way to its controls
    label: plus(at, scaled(outwards, LOOP_REACH * 0.75 + 14))
  }
}

/** The head of an arrow that comes from `before` and touches the node; the line ends where the head begins. */
function arrow(before: Position, node: Position): { end: Position; head: string } {
  const back = unit(minus(before, node))
  const tip = plus(node, scaled(back, RADIUS))
  const end = plus(tip, scaled(back, HEAD_LENGTH))
  const aside = scaled(turned(back), HEAD_HALF)
  return { end, head: `M${point(tip)}L${point(plus(end, aside))}L${point(minus(end, aside))}Z` }
}

function plus(a: Position, b: Position): Position {
  return { x: a.x + b.x, y: a.y + b.y }
}

function minus(a: Position, b: Position): Position {
  return { x: a.x - b.x, y: a.y - b.y }
}

function scaled({ x, y }: Position, factor: number): Position {
  return { x: x * factor, y: y * factor }
}

function middle(a: Position, b: Position): Position {
  return scaled(plus(a, b), 0.5)
}

/** A quarter turn to the right, as the screen shows it. */
function turned({ x, y }: Position): Position {
  return { x: -y, y: x }
}

function unit(vector: Position): Position {
  return scaled(vector, 1 / Math.hypot(vector.x, vector.y))
}

function point({ x, y }: Position): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`
}
