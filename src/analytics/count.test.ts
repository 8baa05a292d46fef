import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Counts, type Matrix } from './count.ts'
import { readTableCsv, tableCsv } from './count-csv.ts'
import { type Experiment, nodesOf, states, subjectsOf } from './experiments.ts'

interface Golden {
  id: string
  exp: Experiment
  course: string
  messages: Array<{ user: string }>
  answers: Record<string, Array<{ content: string; edges?: object[]; indicators?: { enjoyment: number } }>>
}

const golden = readFileSync(join(import.meta.dirname, '../../test/golden/primary-answers.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Golden => JSON.parse(line))

function edgesOf(exp: Experiment, matrix: Matrix): string[] {
  const nodes = nodesOf[exp]
  return matrix.flatMap((row, from) =>
    row.flatMap((weight, to) => (weight > 0 ? [`${nodes[from]}>${nodes[to]} ${weight}`] : []))
  )
}

const enjoyed = [1, 1, 1, -1, -1, -1, -1, -1]

test('the graphs and the enjoyment that the primary really answered', () => {
  let checked = 0
  for (const { exp, course, messages, answers } of golden) {
    const counts = new Counts()
    for (const [index, message] of messages.entries()) {
      counts.add(message, index)
      const student = counts.get({ user: message.user, exp, course })
      for (const { content, edges, indicators } of answers[index] ?? []) {
        if (content === 'student_graph') {
          const theirs = edges!.map((edge) => {
            const { from, to, width } = edge as { from: string; to: string; width: number }
            return `${from}>${to} ${width}`
          })
          expect(edgesOf(exp, student!.matrix()).sort()).toEqual(theirs.sort())
          checked++
        }
        if (content === 'indicators') {
          const sum = student!.feedback.flatMap((row, state) => row.map((count) => count * enjoyed[state]!))
          expect(sum.reduce((total, one) => total + one, 0)).toBe(indicators!.enjoyment)
          checked++
        }
      }
    }
  }
  expect(checked).toBe(87)
})

const command = (fields: object): object => ({
  user: 'u',
  t: 5,
  exp: 'spinner',
  course: 'cie3',
  hardware: 'spin30',
  type: 'analytics',
  payload: { log: 'voltage' },
  ...fields
})

function counted(...messages: unknown[]): Counts<number> {
  const counts = new Counts<number>()
  for (const [index, message] of messages.entries()) counts.add(message, index)
  return counts
}

const key = { user: 'u', exp: 'spinner', course: 'cie3' } as const

test('one piece of hardware goes by arrival, several by time', () => {
  const voltage = command({ t: 9 })
  const speed = { t: 2, payload: { log: 'speed' } }
  const one = counted(voltage, command(speed)).get(key)!
  expect(edgesOf('spinner', one.matrix())).toEqual(['voltage_step>speed_step 1'])
  expect(one.last).toBe(1)
  const two = counted(voltage, command({ ...speed, hardware: 'spin31' })).get(key)!
  expect(edgesOf('spinner', two.matrix())).toEqual(['speed_step>voltage_step 1'])
  expect(two.last).toBe(0)
})

test('what is no valid command is skipped, and counted by reason', () => {
  const { skipped } = counted(
    command({ user: '' }),
    command({ exp: 3 }),
    command({ course: null }),
    command({ hardware: undefined }),
    command({ course: 'c'.repeat(300) }),
    command({ exp: 'constructor' }),
    command({ payload: { log: 'start' } }),
    command({ payload: { log: 'voltage_step' } }),
    command({ payload: { log: '__proto__' } }),
    command({ payload: 'x' }),
    command({ type: 'feedback', payload: { state: 'Engaged', subject: 'pendulum-cie3-4' } }),
    command({ type: 'log' }),
    [null]
  )
  expect(Object.fromEntries(skipped)).toEqual({
    'no user': 1,
    'no experiment': 1,
    'no course': 1,
    'no hardware': 1,
    'name too long': 1,
    'unknown experiment': 1,
    'no command': 4,
    'no state or subject': 1
  })
})

test('nothing that JSON can say makes it fail, and each command but the first is one transition', () => {
  const value = fc.oneof(fc.constantFrom('u', 'spinner', 'cie3', 'voltage', 'speed', 'analytics', 'spin1'), fc.json())
  const message = fc.record(
    {
      user: fc.constantFrom('u', '', 4),
      t: fc.oneof(fc.nat(9), fc.double(), fc.string()),
      exp: fc.oneof(fc.constant('spinner'), value),
      course: fc.oneof(fc.constant('cie3'), value),
      hardware: fc.oneof(fc.constantFrom('spin30', 'spin31'), value),
      type: fc.constantFrom('analytics', 'feedback', 'log', 7),
      payload: fc.oneof(fc.record({ log: value }), fc.record({ state: value, subject: value }), value)
    },
    { requiredKeys: [] }
  )
  fc.assert(
    fc.property(fc.array(fc.oneof(message, value)), (messages) => {
      for (const student of counted(...messages).students()) {
        const sum = student
          .matrix()
          .flat()
          .reduce((total, one) => total + one, 0)
        expect(sum).toBe(Math.max(0, student.commands - 1))
        expect(student.last === undefined).toBe(student.commands === 0)
      }
    })
  )
})

describe('tables', () => {
  test('look as pandas writes them', () => {
    expect(tableCsv(['a', 'b'], ['c', 'd'], [[0, 1], [20, 3]])).toBe(',c,d\na,0.0,1.0\nb,20.0,3.0\n') // biome-ignore format: a matrix
  })

  test('are read back, whatever their order', () => {
    const columns = subjectsOf('spinner', 'cie3')
    const row = fc.array(fc.nat(), { minLength: columns.length, maxLength: columns.length })
    fc.assert(
      fc.property(fc.array(row, { minLength: states.length, maxLength: states.length }), (matrix) => {
        expect(readTableCsv(tableCsv(states, columns, matrix), states, columns)).toEqual(matrix)
      })
    )
    expect(readTableCsv(',b,a\na,3,4\nb,1,2\n', ['a', 'b'], ['a', 'b'])).toEqual([[4, 3], [2, 1]]) // biome-ignore format: a matrix
  })

  test.each(['', ',a\n', ',a\na,-1\n', ',a\na,nan\n', ',a\na,1.5\n', ',a\nb,1\n', ',b\na,1\n', ',a\na,1,2\n'])(
    'that are none are refused: %j',
    (text) => expect(readTableCsv(text, ['a'], ['a'])).toBeUndefined()
  )

  test('are refused or read, whatever they hold', () => {
    fc.assert(fc.property(fc.string(), (text) => void readTableCsv(text, ['a'], ['a'])))
  })
})
