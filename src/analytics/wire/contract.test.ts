import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { realFiles } from '../../world/real/files.ts'
import { Counts } from '../count.ts'
import { isExperiment, nodesOf, states } from '../experiments.ts'
import { loadModels, Models } from '../models.ts'
import { reply } from './replies.ts'
import { contents, type Request, readRequest } from './requests.ts'

const models = await loadModels(realFiles)

/** What the dashboard does with a reply: it throws where its pictures would go blank or its texts say nonsense. */
function dashboardReads(text: string): void {
  const message = JSON.parse(text)
  expect(text).not.toContain('NaN')
  switch (message.content) {
    case 'student_graph':
    case 'comparison_graph': {
      // an empty list blanks the picture
      expect(message.nodes.length).toBeGreaterThan(0)
      const ids = new Set(message.nodes.map(({ id }: { id: string }) => id))
      for (const { x, y, id, label } of message.nodes) {
        expect([Number.isFinite(x), Number.isFinite(y), label === id]).toEqual([true, true, true])
      }
      for (const { from, to, width, label } of message.edges) {
        expect([ids.has(from), ids.has(to), width > 0, label]).toEqual([true, true, true, String(width)])
      }
      expect(Object.keys(message.node_info.in_centrality).sort()).toEqual([...ids].sort())
      for (const part of Object.values(message.node_info.in_centrality)) expect(Number.isFinite(part)).toBe(true)
      break
    }
    case 'task_identification':
      // the smallest is shown as the closest to completing, and null would be smaller than any number
      for (const distance of Object.values(message.tasks)) expect(Number.isFinite(distance)).toBe(true)
      break
    case 'indicators': {
      const { exploration, enjoyment, edges } = message.indicators
      expect(exploration === null || Number.isFinite(exploration)).toBe(true)
      expect([Number.isFinite(enjoyment), Number.isFinite(edges)]).toEqual([true, true])
      break
    }
    case 'centroids': {
      const { vertices, ...points } = message.centroids
      expect(Object.keys(points)).toEqual(expect.arrayContaining(['student', 'all']))
      for (const point of Object.values<unknown[]>(points)) {
        expect(point.length).toBe(2)
        expect(point.every((one) => one === null) || point.every(Number.isFinite)).toBe(true)
      }
      for (const { x, y } of vertices) expect([Number.isFinite(x), Number.isFinite(y)]).toEqual([true, true])
      break
    }
    case 'task_feedback': {
      const { hardware, hardware_freq, transition, transition_freq } = message.feedback
      for (const list of [hardware, hardware_freq, transition, transition_freq]) {
        expect(list.every((one: unknown) => typeof one === 'string')).toBe(true)
      }
      break
    }
    default:
      throw new Error('the dashboard knows no such content')
  }
}

const request = (fields: object, payload: object): object => ({
  user: 'u',
  t: 1,
  exp: 'spinner',
  course: 'cie3',
  type: 'request',
  payload,
  ...fields
})

const everything = [
  { content: 'all_feedback', graph: 'spinner-cie3-all' },
  ...contents.map((content) => ({ content, graph: 'spinner-cie3-3', task: 'spinner-cie3-3' }))
]

/** All replies to a request of a student who did this before, as they go over the wire. */
function answers(asked: object, before: readonly object[] = [], known = models): string[] {
  const counts = new Counts()
  for (const [index, message] of before.entries()) counts.add(message, index)
  const read = readRequest(asked)
  if (typeof read !== 'object') throw new Error(read)
  const student = isExperiment(read.exp) ? counts.get({ ...read, exp: read.exp }) : undefined
  const state = student && { matrix: student.matrix(), feedback: student.feedback }
  return read.contents.flatMap((wanted) => {
    const one = reply(read, wanted, state, known)
    return one === undefined ? [] : [JSON.stringify(one)]
  })
}

const command = (fields: object, log: string): object => ({
  ...request(fields, { log }),
  type: 'analytics',
  hardware: 'spin30'
})

describe('what the dashboard can read', () => {
  const absurd = ['__proto__', 'constructor', '*', '../../etc/passwd', '"', '\ud800', '-', 'x'.repeat(256)]
  const cases: Array<[name: string, fields: object, before: object[], pictures: boolean]> = [
    ['an empty graph', {}, [], true],
    ['one command', {}, [command({}, 'voltage')], true],
    ['one repeated command', {}, [command({}, 'voltage'), command({}, 'voltage')], true],
    ['an unknown course', { course: 'nowhere' }, [], true],
    [
      'an unknown course with commands',
      { course: 'nowhere' },
      ['speed', 'speed'].map((log) => command({ course: 'nowhere' }, log)),
      true
    ],
    ['a known course of another experiment', { exp: 'pendulum' }, [], true],
    ['an unknown experiment', { exp: 'governor' }, [], false],
    ...absurd.map((name): [string, object, object[], boolean] => [
      `everybody is called ${name.slice(0, 20)}`,
      { user: name, exp: name, course: name },
      [],
      false
    ])
  ]
  for (const [name, fields, before, pictures] of cases) {
    test(name, () => {
      for (const payload of everything) {
        const texts = answers(request(fields, payload), before)
        for (const text of texts) dashboardReads(text)
        const drawn = texts.filter((text) => JSON.parse(text).content === 'student_graph').length
        if (['all_feedback', 'student_graph'].includes(payload.content)) expect(drawn).toBe(pictures ? 1 : 0)
      }
    })
  }

  test('without any comparison graph', () => {
    for (const payload of everything) {
      for (const text of answers(request({}, payload), [], new Models([]))) dashboardReads(text)
    }
  })

  test('whatever comes', () => {
    const name = fc.oneof(
      fc.constantFrom('spinner', 'pendulum', 'cie3', 'engdes1', 'all'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 256 })
    )
    const graph = fc.oneof(fc.constantFrom(...models.list().map((model) => model.name)), fc.anything())
    const log = fc.constantFrom(...nodesOf.pendulum, 'voltage', 'position', 'speed', 'voltage_ramp', 'nothing')
    const content = fc.constantFrom('all_feedback', ...contents)
    const feedback = fc.record({ state: fc.constantFrom(...states), subject: fc.constantFrom('UI', 'Other', 'none') })
    fc.assert(
      fc.property(
        name,
        name,
        name,
        fc.array(log),
        fc.array(feedback),
        content,
        graph,
        graph,
        (user, exp, course, logs, told, content, graph, task) => {
          const who = { user, exp, course }
          const before = [
            ...logs.map((one) => command(who, one)),
            ...told.map((payload) => ({ ...request(who, payload), type: 'feedback' }))
          ]
          for (const text of answers(request(who, { content, graph, task }), before)) dashboardReads(text)
        }
      )
    )
  })
})

describe('what is said where the primary fails', () => {
  const said = (fields: object, payload: object, before: object[] = []): object[] =>
    answers(request(fields, payload), before).map((text) => JSON.parse(text))

  test('of somebody who has done nothing', () => {
    expect(said({}, { content: 'task_identification' })).toMatchObject([{ tasks: {} }])
    expect(said({}, { content: 'indicators' })).toMatchObject([
      { indicators: { exploration: null, enjoyment: 0, edges: 0 } }
    ])
    expect(said({}, { content: 'centroids' })).toMatchObject([
      { centroids: { student: [null, null], task4: [1, 0], vertices: expect.any(Array) } }
    ])
    expect(said({}, { content: 'task_feedback', task: 'spinner-cie3-3' })).toMatchObject([
      {
        feedback: {
          hardware: ['position_step', 'position_ramp'],
          hardware_freq: [],
          transition: ['position_step to position_ramp'],
          transition_freq: []
        }
      }
    ])
  })

  test('of a course and an experiment that nobody knows', () => {
    const nowhere = { course: 'nowhere' }
    const before = ['speed', 'speed'].map((log) => command(nowhere, log))
    expect(said(nowhere, { content: 'indicators' }, before)).toMatchObject([
      { indicators: { exploration: 0, enjoyment: 0, edges: 0 } }
    ])
    expect(said({ exp: 'governor' }, { content: 'all_feedback', graph: 'governor-cie3-all' })).toEqual([
      { user: 'u', type: 'response', exp: 'governor', course: 'cie3', content: 'task_identification', tasks: {} },
      expect.objectContaining({ indicators: { exploration: 0, enjoyment: 0, edges: 0 } }),
      expect.objectContaining({
        centroids: expect.objectContaining({ student: [null, null], all: [null, null], vertices: [] })
      })
    ])
  })

  test('nothing of a graph that there is not, or that is of another experiment', () => {
    for (const graph of ['spinner-cie3-9', 'pendulum-engdes1-2', '__proto__', '', 7, undefined]) {
      expect(said({}, { content: 'comparison_graph', graph })).toEqual([])
      expect(said({}, { content: 'task_feedback', task: graph })).toEqual([])
    }
  })
})

describe('requests', () => {
  test('all_feedback asks for five, in the order of the primary', () => {
    const { contents: asked } = readRequest(request({}, { content: 'all_feedback', graph: 'g' })) as Request
    expect(asked).toEqual([
      { content: 'student_graph' },
      { content: 'comparison_graph', graph: 'g' },
      { content: 'task_identification' },
      { content: 'indicators' },
      { content: 'centroids' }
    ])
    expect(readRequest(request({}, { content: 'task_feedback', task: 't' }))).toMatchObject({
      contents: [{ content: 'task_feedback', task: 't' }]
    })
  })

  test('what cannot be understood is refused by reason', () => {
    const asked = { content: 'indicators' }
    expect(readRequest(request({ user: 5 }, asked))).toBe('no user')
    expect(readRequest(request({ exp: '' }, asked))).toBe('no experiment')
    expect(readRequest(request({ course: null }, asked))).toBe('no course')
    expect(readRequest(request({ user: 'x'.repeat(257) }, asked))).toBe('name too long')
    expect(readRequest(request({}, { content: 'toString' }))).toBe('unknown content')
    expect(readRequest({ ...request({}, asked), payload: null })).toBe('unknown content')
  })

  test('whatever comes never fails, and only a request is one', () => {
    const message = fc.oneof(
      fc.anything(),
      fc.record({ type: fc.constant('request'), user: fc.anything(), payload: fc.anything() })
    )
    fc.assert(fc.property(message, (one) => void readRequest(one)))
    expect(readRequest(request({ type: 'response' }, { content: 'indicators' }))).toBeUndefined()
  })
})
