import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Matrix } from '../count.ts'
import { type Experiment, nodesOf, states, subjectsOf } from '../experiments.ts'
import { vertices } from '../positions.ts'
import { centroid } from './centroid.ts'
import { edges } from './edges.ts'
import { editDistance } from './edit-distance.ts'
import { enjoyment } from './enjoyment.ts'
import { exploration } from './exploration.ts'
import { inCentrality } from './in-centrality.ts'
import { type Costs, taskDistance, usualCosts } from './task-distance.ts'
import { taskFeedback } from './task-feedback.ts'

/** The examples are those of docs/analytics.md, worked there by hand. */
const student: Matrix = [
  [1, 0, 1],
  [0, 0, 0],
  [0, 0, 2]
]
const none: Matrix = [
  [0, 0, 0],
  [0, 0, 0],
  [0, 0, 0]
]

const weight = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 500 }))

function matrices(size: number): fc.Arbitrary<number[][]> {
  return fc.array(fc.array(weight, { minLength: size, maxLength: size }), { minLength: size, maxLength: size })
}

const matrix = fc.integer({ min: 2, max: 9 }).chain(matrices)
const pair = fc.integer({ min: 2, max: 9 }).chain((size) => fc.tuple(matrices(size), matrices(size)))
const ofExperiment = fc
  .constantFrom<Experiment>('spinner', 'pendulum')
  .chain((exp) => fc.tuple(fc.constant(exp), matrices(nodesOf[exp].length), matrices(nodesOf[exp].length)))

const doubled = (matrix: Matrix): Matrix => matrix.map((row) => row.map((weight) => 2 * weight))
const total = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0)
const close = (ours: number | undefined, theirs: number): void =>
  expect(Math.abs(ours! - theirs)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(theirs)))

/** Task distance as facts give it, one rule after the other over a flat list: nothing of the real one in it. */
function naiveDistance(a: Matrix, b: Matrix, { missing, additional, loopFactor, upper, lower }: Costs): number {
  const size = a.length
  const flat = a.flat().map((own, at) => ({ own, model: b.flat()[at]!, loop: at % (size + 1) === 0 }))
  const absent = flat.filter(({ own, model }) => own === 0 && model !== 0)
  const more = flat.filter(({ own, model }) => own !== 0 && model === 0)
  const differing = flat.filter(({ own, model }) => own !== 0 && model !== 0 && own !== model)
  const scores = differing.map(({ own, model }) => {
    const d = (own - model) / model
    if (0 <= d && d <= upper) return (additional * d) / upper
    if (d > upper) return additional
    if (lower <= d && d < 0) return (missing * Math.abs(d)) / Math.abs(lower)
    return missing
  })
  const count = (list: typeof flat): number => total(list.map(({ loop }) => (loop ? loopFactor : 1)))
  const mean = scores.length === 0 ? 0 : total(scores) / scores.length
  return missing * count(absent) + additional * count(more) + mean
}

describe('task distance', () => {
  test('two missing edges are 20', () => {
    const task = [
      [1, 1, 1],
      [0, 0, 1],
      [0, 0, 2]
    ]
    expect(taskDistance(student, task)).toBe(20)
  })

  test('three additional edges are 3', () => {
    const more = [
      [1, 1, 1],
      [1, 0, 1],
      [0, 0, 2]
    ]
    expect(taskDistance(more, student)).toBe(3)
  })

  test('self-loops count twice', () => {
    expect(
      taskDistance(
        [
          [0, 0, 1],
          [0, 0, 0],
          [0, 0, 2]
        ],
        student
      )
    ).toBe(20)
    expect(
      taskDistance(
        [
          [1, 0, 1],
          [0, 3, 0],
          [0, 0, 2]
        ],
        student
      )
    ).toBe(2)
  })

  test('what differs in weight costs its mean, once', () => {
    // 1 of 4: 10 · 3/4; 1 of 1: nothing; 2 of 1: 1 · 1/2
    expect(
      taskDistance(student, [
        [4, 0, 1],
        [0, 0, 0],
        [0, 0, 1]
      ])
    ).toBe((7.5 + 0.5) / 2)
    expect(
      taskDistance(
        [
          [1, 0, 9],
          [0, 0, 0],
          [0, 0, 2]
        ],
        student
      )
    ).toBe(1)
  })

  test('nothing done has no distance', () => {
    expect(taskDistance(none, student)).toBeUndefined()
    expect(taskDistance(none, none)).toBeUndefined()
  })

  test('as computed naively, with any costs', () => {
    const cost = fc.double({ min: 0, max: 100, noNaN: true })
    const upper = fc.oneof(fc.constant(-1), fc.double({ min: 0.1, max: 10, noNaN: true }))
    const lower = fc.double({ min: -10, max: -0.1, noNaN: true })
    const costs = fc.record({ missing: cost, additional: cost, loopFactor: cost, upper, lower })
    fc.assert(
      fc.property(pair, fc.oneof(fc.constant(usualCosts), costs), ([a, b], costs) => {
        fc.pre(a.flat().some(Boolean))
        close(taskDistance(a, b, costs), naiveDistance(a, b, costs))
      })
    )
  })

  test('its algebra', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        fc.pre(a.flat().some(Boolean))
        expect(taskDistance(a, a)).toBe(0)
        // twice as much of everything: half the way to `upper`
        expect(taskDistance(doubled(a), a)).toBe(0.5)
        expect(taskDistance(a, doubled(a))).toBe(5)
        // only the ratio of weights counts
        expect(taskDistance(doubled(a), doubled(b))).toBe(taskDistance(a, b))
        expect(taskDistance(a, b)).toBeGreaterThanOrEqual(0)
        const loops = a.map((row, from) => row.map((one, to) => (from === to ? one : 0)))
        const none = a.map((row) => row.map(() => 0))
        const found = total(a.flat().map((one) => Math.sign(one))) + total(loops.flat().map((one) => Math.sign(one)))
        expect(taskDistance(a, none)).toBe(found)
      })
    )
  })
})

describe('graph edit distance', () => {
  test('the examples', () => {
    expect(editDistance(student, none)).toBe(4)
    expect(
      editDistance(student, [
        [1, 1, 1],
        [0, 0, 1],
        [0, 0, 2]
      ])
    ).toBe(2)
    expect(
      editDistance(student, [
        [3, 0, 0],
        [0, 0, 0],
        [1, 0, 2]
      ])
    ).toBe(4)
  })

  test('as computed naively, and it is a metric', () => {
    const three = fc
      .integer({ min: 2, max: 9 })
      .chain((size) => fc.tuple(matrices(size), matrices(size), matrices(size)))
    fc.assert(
      fc.property(three, ([a, b, c]) => {
        expect(editDistance(a, b)).toBe(total(a.flat().map((one, at) => Math.abs(one - b.flat()[at]!))))
        expect(editDistance(a, a)).toBe(0)
        expect(editDistance(a, b)).toBe(editDistance(b, a))
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c))
        expect(editDistance(doubled(a), doubled(b))).toBe(2 * editDistance(a, b))
      })
    )
  })
})

describe('exploration', () => {
  const all = [
    [5, 0, 0],
    [1, 0, 1],
    [1, 0, 0]
  ]
  const explorer = [
    [4, 1, 1],
    [0, 0, 0],
    [0, 0, 0]
  ]

  test('36 as the primary answers, 20 as it was meant', () => {
    expect(exploration(explorer, all)).toBe(36)
    expect(exploration(explorer, all, true)).toBe(20)
  })

  test('without a graph of the course it is 0, without anything done there is none', () => {
    expect(exploration(explorer, undefined)).toBe(0)
    expect(exploration(none, undefined, true)).toBe(0)
    expect(exploration(none, all)).toBeUndefined()
    expect(exploration(none, all, true)).toBeUndefined()
  })

  test('as computed naively', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        fc.pre(a.flat().some(Boolean))
        const answered = { missing: 10, additional: 2, loopFactor: 2, upper: -1, lower: -1 }
        close(exploration(a, b), naiveDistance(a, b, answered))
        close(exploration(a, b, true), naiveDistance(a, b, { ...usualCosts, missing: 0, additional: 10 }))
      })
    )
  })
})

describe('the other indicators', () => {
  test('edges: 4 transitions of 8 are 50 %', () => {
    expect(
      edges(student, [
        [5, 0, 0],
        [1, 0, 1],
        [1, 0, 0]
      ])
    ).toBe(50)
    expect(edges(student, undefined)).toBe(0)
    expect(edges(none, student)).toBe(0)
    fc.assert(
      fc.property(pair, ([a, b]) => {
        fc.pre(b.flat().some(Boolean))
        close(edges(a, b), (total(a.flat()) * 100) / total(b.flat()))
        expect(edges(doubled(b), b)).toBe(200)
      })
    )
  })

  test('enjoyment: 3 times engaged, once delighted, once confused, twice anxious are 1', () => {
    const feedback = states.map(() => subjectsOf('spinner', 'cie3').map(() => 0))
    feedback[0]![0] = 3
    feedback[2]![5] = 1
    feedback[4]![1] = 1
    feedback[7]![8] = 2
    expect(enjoyment(feedback)).toBe(1)
    expect(enjoyment([])).toBe(0)
    const table = fc.array(fc.array(fc.nat(1000), { minLength: 9, maxLength: 9 }), { minLength: 8, maxLength: 8 })
    const worth: Record<string, number> = { Engaged: 1, Curious: 1, Delighted: 1 }
    fc.assert(
      fc.property(table, (rows) => {
        expect(enjoyment(rows)).toBe(total(rows.map((row, state) => total(row) * (worth[states[state]!] ?? -1))))
      })
    )
  })
})

describe('centroids', () => {
  const s = Math.sin(Math.PI / 3)
  const spinner = (cells: Record<string, number>): number[][] => {
    const nodes = nodesOf.spinner
    return nodes.map((from) => nodes.map((to) => cells[`${from}>${to}`] ?? 0))
  }

  test('the example: 3 arrive at one node, 1 at another', () => {
    const matrix = spinner({
      'position_step>position_step': 2,
      'voltage_step>position_step': 1,
      'position_step>voltage_step': 1
    })
    const [x, y] = centroid('spinner', matrix)!
    expect(x).toBe((3 * 1 + 1 * 0.5) / 4)
    close(y, s / 4)
  })

  test('of one edge it is the node that it leads to; of none there is none', () => {
    expect(centroid('spinner', spinner({ 'voltage_step>position_ramp': 7 }))).toEqual([-1, 0])
    expect(centroid('spinner', spinner({}))).toBeUndefined()
  })

  test('as computed naively, and doubled weights change nothing', () => {
    fc.assert(
      fc.property(ofExperiment, ([exp, matrix]) => {
        fc.pre(matrix.flat().some(Boolean))
        const nodes = nodesOf[exp]
        const arrived = matrix.flatMap((row) => row.map((weight, to) => ({ weight, at: vertices[exp][nodes[to]!]! })))
        const mass = total(matrix.flat())
        const [x, y] = centroid(exp, matrix)!
        close(x, total(arrived.map(({ weight, at }) => weight * at.x)) / mass)
        close(y, total(arrived.map(({ weight, at }) => weight * at.y)) / mass)
        expect(centroid(exp, doubled(matrix))).toEqual([x, y])
      })
    )
  })
})

describe('in-degree centrality', () => {
  test('the example', () => {
    expect(inCentrality(student)).toEqual([0.5, 0, 1])
  })

  test('as computed naively, and weights do not count', () => {
    fc.assert(
      fc.property(matrix, (a) => {
        const naive = a.map((_, to) => total(a.map((row) => Math.sign(row[to]!))) / (a.length - 1))
        for (const [node, part] of inCentrality(a).entries()) close(part, naive[node]!)
        expect(inCentrality(doubled(a))).toEqual(inCentrality(a))
      })
    )
  })
})

describe('task feedback', () => {
  const nodes = nodesOf.spinner
  const matrixOf = (cells: ReadonlyArray<readonly [from: number, to: number, weight: number]>): number[][] =>
    nodes.map((_, row) => nodes.map((_, column) => cells.find(([from, to]) => from === row && to === column)?.[2] ?? 0))

  test('the example', () => {
    const task = matrixOf([
      [0, 0, 3],
      [1, 1, 1],
      [0, 2, 2],
      [2, 3, 5],
      [2, 2, 1]
    ])
    const done = matrixOf([
      [0, 0, 1],
      [0, 2, 1],
      [2, 2, 4],
      [5, 5, 1]
    ])
    expect(taskFeedback('spinner', done, task)).toEqual({
      hardware: ['voltage_ramp'],
      hardware_freq: ['voltage_step'],
      transition: ['position_step to position_ramp'],
      transition_freq: ['voltage_step to position_step']
    })
  })

  test('as computed naively', () => {
    fc.assert(
      fc.property(ofExperiment, ([exp, a, b]) => {
        const names = nodesOf[exp]
        const lacking = names.flatMap((from, row) =>
          names.map((to, column) => ({ from, to, own: a[row]![column]!, model: b[row]![column]! }))
        )
        const loops = lacking.filter(({ from, to }) => from === to)
        const others = lacking.filter(({ from, to }) => from !== to)
        const never = ({ own, model }: (typeof lacking)[number]): boolean => own === 0 && model !== 0
        const seldom = ({ own, model }: (typeof lacking)[number]): boolean => own !== 0 && own < model
        expect(taskFeedback(exp, a, b)).toEqual({
          hardware: loops.filter(never).map(({ from }) => from),
          hardware_freq: loops.filter(seldom).map(({ from }) => from),
          transition: others.filter(never).map(({ from, to }) => `${from} to ${to}`),
          transition_freq: others.filter(seldom).map(({ from, to }) => `${from} to ${to}`)
        })
        expect(Object.values(taskFeedback(exp, a, a)).flat()).toEqual([])
      })
    )
  })
})
