import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readReply } from './read-reply.ts'

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
