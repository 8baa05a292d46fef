import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Scanner } from './scanner.ts'
import { split } from './splitter.ts'

const isFull = Boolean(process.env['UNDERSTUDY_FULL'])
const runs = isFull ? 1_000_000 : 20_000
vi.setConfig({ testTimeout: isFull ? 3_600_000 : 60_000 })

function parts(frame: string | Buffer): Array<[kind: string, text: string]> {
  const bytes = Buffer.from(frame as string)
  return [...split(bytes)].map(({ start, end, kind }) => [kind, bytes.toString('latin1', start, end)])
}

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Objects and arrays as a sender may write them, white space before. */
const message = fc
  .tuple(
    fc.constantFrom('', ' ', '\n', '\r\n\t '),
    fc.oneof(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), fc.array(fc.jsonValue())),
    fc.constantFrom(undefined, 1, '\t')
  )
  .map(([space, value, indent]) => Buffer.from(space + JSON.stringify(value, undefined, indent)))

const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        '\\',
        ':',
        ',',
        ' ',
        '\n',
        '{}',
        '{"a":',
        '"b"',
        '1',
        '-',
        '0.',
        'e',
        'true',
        'nul',
        '\\"',
        '\\u00',
        '{"'
      ),
      fc.string({ unit: 'binary', maxLength: 3 })
    ),
    { maxLength: 40 }
  )
  .map((pieces) => Buffer.from(pieces.join('')))

/** A join of messages with bytes changed, taken out and put in. */
const mutated = fc
  .tuple(
    fc.array(message, { minLength: 1, maxLength: 4 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 3 })), { maxLength: 4 })
  )
  .map(([messages, changes]) => {
    let frame = Buffer.concat(messages)
    for (const [place, removed, added] of changes) {
      const at = place % (frame.length + 1)
      frame = Buffer.concat([frame.subarray(0, at), added, frame.subarray(at + removed)])
    }
    return frame
  })

const anyFrame = fc.oneof(
  soup,
  mutated,
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes))
)

describe('split', () => {
  test.each<[frame: string, expected: Array<[string, string]>]>([
    ['', []],
    [' \n', [['other', ' \n']]],
    ['{"a":1}', [['json', '{"a":1}']]],
    [
      '{"a":1}{"b":2}',
      [
        ['json', '{"a":1}'],
        ['json', '{"b":2}']
      ]
    ],
    [
      ' {} \n{}\n',
      [
        ['json', ' {}'],
        ['json', ' \n{}\n']
      ]
    ],
    [
      '[1]{}[2]',
      [
        ['json', '[1]'],
        ['json', '{}'],
        ['json', '[2]']
      ]
    ],
    [
      '{"a":"}{"}{"b":"\\"}{"}',
      [
        ['json', '{"a":"}{"}'],
        ['json', '{"b":"\\"}{"}']
      ]
    ],
    ['12', [['json', '12']]],
    [' "{}" ', [['json', ' "{}" ']]],
    ['12 34', [['other', '12 34']]],
    [
      '12{}34',
      [
        ['other', '12'],
        ['json', '{}'],
        ['other', '34']
      ]
    ],
    [
      '{} x y {}',
      [
        ['json', '{}'],
        ['other', ' x y'],
        ['json', ' {}']
      ]
    ],
    [
      '{}x ',
      [
        ['json', '{}'],
        ['other', 'x ']
      ]
    ],
    [
      '{"a":"x{"b":1}',
      [
        ['other', '{"a":"x'],
        ['json', '{"b":1}']
      ]
    ],
    [
      '{"a":{"b":1}',
      [
        ['other', '{"a":'],
        ['json', '{"b":1}']
      ]
    ],
    [
      '{{}}',
      [
        ['other', '{'],
        ['json', '{}'],
        ['other', '}']
      ]
    ],
    [
      '{"a":1]{}',
      [
        ['other', '{"a":1]'],
        ['json', '{}']
      ]
    ],
    ['x[1]', [['other', 'x[1]']]],
    [
      '\ufeff{}',
      [
        ['other', '\u00ef\u00bb\u00bf'],
        ['json', '{}']
      ]
    ]
  ])('%j', (frame, expected) => {
    expect(parts(frame)).toEqual(expected)
  })

  test('accounts for every byte of any frame, and calls json only what JSON.parse accepts', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        let at = 0
        let last = ''
        for (const { start, end, kind } of split(frame)) {
          expect(start).toBe(at)
          expect(end).toBeGreaterThan(start)
          if (kind === 'json') expect(parses(frame.toString('utf8', start, end))).toBe(true)
          else expect(last).not.toBe('other')
          last = kind
          at = end
        }
        expect(at).toBe(frame.length)
      }),
      { numRuns: runs }
    )
  })

  test('gives joined messages back as they were', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), (messages) => {
        const frame = Buffer.concat(messages)
        expect([...split(frame)].map(({ start, end }) => frame.toString('latin1', start, end))).toEqual(
          messages.map((bytes) => bytes.toString('latin1'))
        )
      }),
      { numRuns: runs / 10 }
    )
  })

  test('finds a message again after any garbage that has no brace or quote in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), message, (noise, good) => {
        const garbage = Buffer.from(`x${noise.replaceAll(/[{"]/g, '')}`)
        const value = good.toString().trimStart().startsWith('{') ? good : Buffer.from('{}')
        const found = [...split(Buffer.concat([garbage, value]))]
        expect(found.at(-1)?.kind).toBe('json')
        expect(found.at(-1)?.end).toBe(garbage.length + value.length)
      }),
      { numRuns: runs / 10 }
    )
  })

  test('finds, of any frame, exactly what trying every brace in turn would find', () => {
    fc.assert(
      fc.property(fc.oneof(soup, mutated), (frame) => {
        expect([...split(frame)]).toEqual(splitSlowly(frame))
      }),
      { numRuns: runs / 10 }
    )
  })
})

describe('the scanner', () => {
  test('agrees with JSON.parse', () => {
    fc.assert(
      fc.property(fc.oneof(soup, mutated), fc.boolean(), (inner, object) => {
        const value = object ? `{"k":${inner}}` : `[${inner}]`
        const frame = Buffer.from(value)
        expect(new Scanner(frame).end(0) === frame.length).toBe(parses(value))
      }),
      { numRuns: runs / 2 }
    )
  })
})

describe('the cost', () => {
  const million = 1_000_000
  test.each<[name: string, unit: string]>([
    ['open braces', '{'],
    ['open brackets', '['],
    ['nested objects never closed', '{"a":'],
    ['nested arrays never closed', '[{"a":['],
    ['braces in strings', '{"k":"{",'],
    ['quotes that fit both ways', '{":":",":":",",'],
    ['objects begun inside strings', '":{"'],
    ['escaped quotes', '{"\\"'],
    ['escapes before braces', '{"a":"\\\\{'],
    ['balanced but not JSON', '{{}}'],
    ['complete ones in an array never closed', '{"a":[{}],"b":'],
    ['white space', '{ \n\t ']
  ])('is linear: %s', (_name, unit) => {
    for (const before of ['', '[', '{"', '{"a":"']) {
      const frame = Buffer.from(before + unit.repeat(million / unit.length))
      const scanner = new Scanner(frame)
      let end = 0
      for (const part of split(frame, scanner)) end = part.end
      expect(end).toBe(frame.length)
      expect(scanner.scannedBytes).toBeLessThan(4 * frame.length + 4)
    }
  })

  test('is linear for any repeated unit', () => {
    fc.assert(
      fc.property(soup, soup, (before, unit) => {
        const frame = Buffer.concat([before, ...Array<Buffer>(200).fill(unit)])
        const scanner = new Scanner(frame)
        for (const _ of split(frame, scanner));
        expect(scanner.scannedBytes).toBeLessThan(4 * frame.length + 4)
      }),
      { numRuns: runs / 20 }
    )
  })
})

/** The rules of `split` without its memory: every brace is scanned anew. */
function splitSlowly(frame: Buffer): unknown[] {
  const text = frame.toString('latin1')
  const found: unknown[] = []
  if (/^\s*[^\s{[]/.test(text) && parses(frame.toString())) return [{ start: 0, end: frame.length, kind: 'json' }]
  let start = 0
  let boundary = true
  for (let at = 0; at < frame.length; ) {
    const isStart = text[at] === '{' || (boundary && text[at] === '[')
    const end = isStart ? new Scanner(frame).end(at) : 0
    if (!end) {
      boundary &&= ' \t\r\n'.includes(text[at]!)
      at++
      continue
    }
    const space = at - /[ \t\r\n]*$/.exec(text.slice(start, at))![0].length
    if (space > start) found.push({ start, end: space, kind: 'other' })
    start = /^[ \t\r\n]*$/.test(text.slice(end)) ? frame.length : end
    found.push({ start: space, end: start, kind: 'json' })
    at = start
    boundary = true
  }
  if (start < frame.length) found.push({ start, end: frame.length, kind: 'other' })
  return found
}
