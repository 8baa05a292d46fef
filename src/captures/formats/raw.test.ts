import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encoded } from '../../../test/support/encoded.ts'
import { frame } from '../../../test/support/memory-journal.ts'
import type { Frame } from '../../journal/entry.ts'
import { JsonLines } from './json-lines.ts'
import { onOneLine, raw } from './raw.ts'

const numbered = (text: string): Frame => ({ kind: 'frame', position: 9, seq: 7, ...frame({ text }) })

test('joined messages come one a line, each as it was sent', () => {
  const made = encoded(raw, [numbered('{"a": 1}  {"b":"x\\n" }')])
  expect(made.lines).toBe('{"a": 1}\n  {"b":"x\\n" }\n')
  expect(made).toMatchObject({ messages: 2, others: 0 })
})

test('a message of several lines is put on one', () => {
  expect(encoded(raw, [numbered('{\r\n  "a": "b  c"\n}\n')]).lines).toBe('{  "a": "b  c"}\n')
})

test('what is no JSON goes to the other file, recoverable, and is counted', () => {
  const made = encoded(raw, [numbered('{"a":1}junk\n{"b":2}')])
  expect(made.lines).toBe('{"a":1}\n{"b":2}\n')
  expect(JSON.parse(made.other)).toMatchObject({ seq: 7, part: 1, raw: 'junk' })
  expect(made).toMatchObject({ messages: 2, others: 1 })
})

test('bytes that are not UTF-8 inside a message stay as they are', () => {
  const payload = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
  const lines = new JsonLines()
  raw({ ...numbered(''), payload }, lines, lines)
  expect(lines.view()).toEqual(Buffer.concat([payload, Buffer.from('\n')]))
})

test('a message keeps its value on one line', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(0, 2, '\t'), (json, space) => {
      const pretty = Buffer.from(JSON.stringify(JSON.parse(json), undefined, space).replaceAll('\n', '\r\n'))
      const line = onOneLine(pretty)
      expect(line.includes('\n') || line.includes('\r')).toBe(false)
      expect(JSON.parse(line.toString())).toEqual(JSON.parse(json))
    })
  )
})
