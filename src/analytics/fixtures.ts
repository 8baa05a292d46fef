import fc from 'fast-check'
import type { Matrix } from './count.ts'
import { type Experiment, nodesOf } from './experiments.ts'

/** What the tests of analytics share. */

/** The edges of a matrix, sorted. */
export function edgesOf(exp: Experiment, matrix: Matrix): string[] {
  const nodes = nodesOf[exp]
  const edges = matrix.flatMap((row, from) =>
    row.flatMap((weight, to) => (weight > 0 ? [`${nodes[from]}>${nodes[to]} ${weight}`] : []))
  )
  return edges.sort()
}

const names = {
  user: fc.constantFrom('u1', 'u2', 'u2-x', ''),
  exp: fc.constantFrom('spinner', 'spinner', 'pendulum', 'ramp'),
  course: fc.constantFrom('cie3', 'engdes1', 'other', undefined)
}

const t = fc.oneof(
  fc.nat(20),
  fc.double({ min: 0, max: 20, noNaN: true }),
  fc.constantFrom(undefined, -1, 'soon', 1e300)
)

/** A message of few students, so that much falls together: nearly all commands, of which some cannot count. */
export const someMessage: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      ...names,
      t,
      type: fc.constant('analytics'),
      hardware: fc.constantFrom('spin30', 'spin30', 'spin31', 'pend00', 4),
      payload: fc.record({
        log: fc.constantFrom('voltage', 'position', 'speed', 'voltage_ramp', 'start', 'record', 'sampling', 'dance')
      })
    })
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...names,
      t,
      type: fc.constant('feedback'),
      payload: fc.record({
        state: fc.constantFrom('Engaged', 'Bored', 'Anxious', 'Hungry'),
        subject: fc.constantFrom('UI', 'Other', 'spinner-cie3-4', 'spinner-engdes1-2')
      })
    })
  },
  { weight: 1, arbitrary: fc.constantFrom({ type: 'log' }, { type: 'request', user: 'u1' }, [1], { user: null }) }
)
