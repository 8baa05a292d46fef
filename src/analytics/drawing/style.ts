import type { ComparedEdge } from './comparison.ts'

/** Dark enough on white, and not alike to people who see fewer colours. */
export const colours: Readonly<Record<ComparedEdge['kind'], string>> = {
  plain: '#444444',
  missing: '#b34700',
  surplus: '#0a5fb4'
}

/** Of an edge, in pixels, to two places: its root in parts of the heaviest one's, since weights reach from 1 to hundreds. */
export function widthOf(weight: number, most: number): number {
  return Math.round(100 * (1 + 8 * Math.sqrt(weight / most))) / 100
}
