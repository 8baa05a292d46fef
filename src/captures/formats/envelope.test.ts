import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encoded } from '../../../test/support/encoded.ts'
import { frame } from '../../../test/support/memory-journal.ts'
import type { Frame } from '../../journal/entry.ts'
import { split } from '../../relay/splitter.ts'
import { envelope, envelopeOf } from './envelope.ts'
import { readEnvelope } from './read-envelope.ts'

const numbered = (fields: Parameters<typeof frame>[0]): Frame => ({
  kind: 'frame',
  position: 9,
  seq: 7,
  ...frame(fields)
})
const linesOf = (one: Frame): string[] => encoded(envelope, [one]).lines.split('\n').slice(0, -1)

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
  expect(readEnvelope(line)).toMatchObject({ wallUs: one.wallUs, trueUs: one.wallUs + 5, timeUncertain: true })
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
  expect(encoded(envelope, [one])).toMatchObject({ messages: 2, others: 1 })
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

/** Whole messages: what a field may be, in any order, more than once, pretty or not, with escapes where JSON needs none. */
const value = fc.oneof(
  fc.constantFrom(
    'cie3',
    'a-b_c',
    '',
    'Ωμέγα',
    '\u{1F600}',
    'a"b',
    'c\\d',
    'line\nbreak',
    '\u007f',
    '\ud800',
    '\u2028'
  ),
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.integer(),
  fc.double(),
  fc.constantFrom(1793606453920, -5, -0, 1e21, 1.5, 1234567890123456),
  fc.constant(null),
  fc.boolean(),
  fc.constantFrom({}, [], { log: 'x' }, { log: 5, user: 'inner' }, [{ user: 'inner' }], { data: { log: 'deep' } }),
  fc.jsonValue()
)
const name = fc.constantFrom(
  'user',
  't',
  'exp',
  'course',
  'hardware',
  'type',
  'payload',
  'log',
  'tag',
  '__proto__',
  'us'
)
const member = fc.tuple(
  fc.oneof({ weight: 5, arbitrary: name }, { weight: 1, arbitrary: fc.string() }),
  value,
  fc.constantFrom('', '', ' ', '\n\t'),
  fc.boolean()
)
/** A text with its first letter written as an escape. */
const escaped = (json: string): string =>
  json.startsWith('"') ? json.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`) : json
const message = fc.array(member, { maxLength: 9 }).map((members) => {
  const texts = members.map(([key, content, space, isEscaped]) => {
    const both = [JSON.stringify(key), JSON.stringify(content)]
    return space + (isEscaped ? both.map(escaped) : both).join(`${space}:${space}`) + space
  })
  return `{${texts.join(',')}}`
})
const part = fc.oneof(
  { weight: 6, arbitrary: message.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('12', '"text"', '{"a":1', '\u0000\u001f\b\f\r', ' ').map((text) => Buffer.from(text))
  }
)
const frames = fc.record({
  parts: fc.oneof(
    fc.array(part, { maxLength: 4 }),
    part.map((one) => [one])
  ),
  wallUs: fc.oneof(fc.constant(1767571200000000), fc.maxSafeInteger()),
  monoUs: fc.maxSafeNat(),
  trueUs: fc.option(fc.oneof(fc.constant(1767571200000000), fc.maxSafeInteger()), { nil: undefined }),
  seq: fc.oneof(fc.nat(20), fc.maxSafeNat()),
  stream: fc.constantFrom('spin30', 'pend01'),
  boot: fc.constantFrom('b007', 'b"7', ''),
  source: fc.constantFrom('ntp', 'none', 'relay', 'trusted'),
  origin: fc.constantFrom('relay', 'import', 'own'),
  binary: fc.boolean()
})

test('a line is what JSON writes of the fields, byte for byte', () => {
  fc.assert(
    fc.property(frames, ({ parts, trueUs, seq, ...fields }) => {
      const payload = Buffer.concat(parts)
      const one: Frame = { ...numbered({ ...fields, payload }), seq, ...(trueUs !== undefined && { trueUs }) }
      const found = payload.length === 0 ? [{ start: 0, end: 0, kind: 'other' } as const] : [...split(payload)]
      const expected = found.map((part, index) => `${JSON.stringify(envelopeOf(one, index, part))}\n`)
      expect(encoded(envelope, [one])).toEqual({
        lines: expected.join(''),
        other: '',
        messages: found.filter(({ kind }) => kind === 'json').length,
        others: found.filter(({ kind }) => kind === 'other').length
      })
    }),
    { numRuns: 2000 }
  )
})
