import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePythonJson, readReply } from './read-reply.ts'

const said = { user: 'u', type: 'response', exp: 'spinner', course: 'cie3', content: 'indicators', indicators: {} }

test('a reply says what it answers, and whom', () => {
  expect(readReply(said)).toEqual({ content: 'indicators', user: 'u', exp: 'spinner', course: 'cie3' })
  const { course: _, ...graph } = { ...said, content: 'comparison_graph' }
  expect(readReply(graph)).toMatchObject({ content: 'comparison_graph', course: undefined })
})

test('everything else is none', () => {
  for (const other of [{ type: 'request' }, { content: 'all_feedback' }, { content: ['indicators'] }, { user: 7 }]) {
    expect(readReply({ ...said, ...other })).toBeUndefined()
  }
  fc.assert(fc.property(fc.anything(), (one) => readReply(one) === undefined))
})

test('a reply with NaN is still read, and told apart', () => {
  const text = '{"tasks": {"a\\"NaN": NaN, "b": -Infinity, "NaN": "NaN \\\\"}, "list": [NaN,Infinity]}'
  expect(parsePythonJson(text)).toEqual({
    value: { tasks: { 'a"NaN': null, b: null, NaN: 'NaN \\' }, list: [null, null] },
    hasNaN: true
  })
  for (const broken of ['', '{"a": NaN', 'NaNs', '{"a": xNaN}']) expect(parsePythonJson(broken)).toBeUndefined()
})

test('JSON is read as it is', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parsePythonJson(text)).toEqual({ value: JSON.parse(text), hasNaN: false })
    })
  )
})
