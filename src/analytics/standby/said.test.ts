import { expect, test } from 'vitest'
import { asked, said } from './fixtures.ts'
import { answers, saidIn } from './said.ts'

test('requests and replies are found in joined frames, with their places', () => {
  const frame = Buffer.from(`{"type":"log"}${asked()}${said('centroids')} ${said('indicators')}`)
  expect(saidIn(frame)).toMatchObject([
    { kind: 'request', part: 1, request: { user: 'ann', exp: 'spinner', course: 'cie3' } },
    { kind: 'reply', marked: false, reply: { content: 'centroids', user: 'ann' } },
    { kind: 'reply', marked: true, reply: { content: 'indicators', user: 'ann' } }
  ])
})

test('a reply that holds NaN is none, whatever is in it', () => {
  const inside = said('indicators').replaceAll('\n', '')
  expect(saidIn(Buffer.from(said('task_identification', 'ann', '"tasks": {"a": NaN}')))).toEqual([])
  const joined = `${said('task_identification', 'ann', '"tasks": {"a": NaN}')}${inside}`
  expect(saidIn(Buffer.from(joined))).toMatchObject([{ kind: 'reply', reply: { content: 'indicators' } }])
})

test.each(['', '{', '"request"', '{"type":"request"}', '{"type":"response","content":"x"}', `[${asked()}]`])(
  'what is neither is left out: %j',
  (text) => expect(saidIn(Buffer.from(text))).toEqual([])
)

test('what is too large to be either is not read', () => {
  expect(saidIn(Buffer.from(said('centroids', 'ann', `"nodes": "${'x'.repeat(300_000)}"`)))).toEqual([])
})

test('a reply answers who asked for it: by user, experiment and, where it says one, course', () => {
  const request = { user: 'ann', exp: 'spinner', course: 'cie3', contents: [] }
  const reply = { content: 'centroids', user: 'ann', exp: 'spinner', course: 'cie3' } as const
  expect(answers(reply, request)).toBe(true)
  expect(answers({ ...reply, course: undefined }, request)).toBe(true)
  expect(answers({ ...reply, course: 'engdes1' }, request)).toBe(false)
  expect(answers({ ...reply, user: 'bob' }, request)).toBe(false)
  expect(answers({ ...reply, exp: 'pendulum' }, request)).toBe(false)
})
