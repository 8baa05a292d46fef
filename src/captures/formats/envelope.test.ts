import { expect, test } from 'vitest'
import { frame } from '../../../test/support/memory-journal.ts'
import type { Frame } from '../../journal/entry.ts'
import { envelope } from './envelope.ts'
import { readEnvelope } from './read-envelope.ts'

const numbered = (fields: Parameters<typeof frame>[0]): Frame => ({
  kind: 'frame',
  position: 9,
  seq: 7,
  ...frame(fields)
})
const linesOf = (one: Frame): string[] => envelope(one).lines.toString().split('\n').slice(0, -1)

test('fields stand in the order that is promised', () => {
  const text =
    '{"payload":{"log":"voltage"},"type":"analytics","hardware":"spin30","course":"cie3","exp":"spinner","t":5,"user":"a"}'
  const [line = ''] = linesOf(numbered({ text, source: 'relay', binary: true }))
  expect(Object.keys(JSON.parse(line))).toEqual(
    'stream seq part time_us mono_us boot synced time_source origin binary user t exp course hardware type log raw'.split(
      ' '
    )
  )
  expect(JSON.parse(line)).toMatchObject({ seq: 7, part: 0, synced: true, log: 'voltage', t: 5, raw: text })
})

test('a time that was found to be wrong stands beside the true one', () => {
  const one = numbered({ text: '{}', source: 'none' })
  const [line = ''] = linesOf({ ...one, trueUs: one.wallUs + 5, timeUncertain: true })
  expect(JSON.parse(line)).toMatchObject({ time_us: one.wallUs + 5, clock_us: one.wallUs, time_uncertain: true })
  expect(readEnvelope(line)).toMatchObject({ wallUs: one.wallUs + 5, clockUs: one.wallUs })
  const [same = ''] = linesOf({ ...one, trueUs: one.wallUs })
  expect(JSON.parse(same)).not.toHaveProperty('clock_us')
})

test('what a message does not say, or says in another type, is left out', () => {
  const [line = ''] = linesOf(numbered({ text: '{"user":3,"t":"x","payload":null}', source: 'none' }))
  expect(Object.keys(JSON.parse(line))).toEqual('stream seq part time_us mono_us boot synced origin raw'.split(' '))
  expect(JSON.parse(line).synced).toBe(false)
})

test('each message and each piece of garbage has its line', () => {
  const one = numbered({
    payload: Buffer.concat([Buffer.from('{"t":1}'), Buffer.from([0xff, 0xfe]), Buffer.from('{"t":2}')])
  })
  const lines = linesOf(one).map((line) => JSON.parse(line))
  expect(lines.map((line) => [line.part, line.t, line.raw, line.raw_b64])).toEqual([
    [0, 1, '{"t":1}', undefined],
    [1, undefined, undefined, '//4='],
    [2, 2, '{"t":2}', undefined]
  ])
  expect(envelope(one)).toMatchObject({ messages: 2, others: 1 })
})

test('an empty frame leaves a line too', () => {
  expect(linesOf(numbered({ text: '' })).map((line) => JSON.parse(line).raw)).toEqual([''])
})

test.each([
  'no json',
  '"text"',
  'null',
  '{}',
  '{"stream":"../x","seq":1,"part":0,"time_us":1,"mono_us":1,"boot":"","synced":true,"origin":"relay","raw":""}',
  '{"stream":"a","seq":1,"part":0,"time_us":1.5,"mono_us":1,"boot":"","synced":true,"origin":"relay","raw":""}',
  '{"stream":"a","seq":1,"part":0,"time_us":1,"mono_us":1,"boot":"","synced":true,"origin":"relay"}',
  '{"stream":"a","seq":1,"part":0,"time_us":1,"mono_us":1,"boot":"","synced":true,"origin":"relay","raw":"","raw_b64":""}',
  '{"stream":"a","seq":1,"part":0,"time_us":1,"mono_us":1,"boot":"","synced":true,"origin":"relay","raw_b64":"!"}'
])('a line that is no envelope is none: %s', (line) => {
  expect(readEnvelope(line)).toBeUndefined()
})
