import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readArguments, readCount, readDuration, readNumber, readPeriod, readTime } from './arguments.ts'
import type { Command } from './command.ts'
import { Options } from './terminal.ts'

const command: Command = {
  name: 'sort',
  summary: 'sorts',
  operands: 'FILE',
  operandCount: { min: 1, max: 1 },
  description: [],
  options: { to: { value: 'TIME', help: '' }, raw: { help: '' }, stream: { value: 'S', multiple: true, help: '' } },
  exits: {},
  examples: [],
  run: async () => 0
}

const usageError = expect.objectContaining({ code: 'UNDERSTUDY_USAGE', exitCode: 2 })

test('options and operands are read in any order', () => {
  const { options, positionals } = readArguments(command, ['--raw', 'a', '--stream', 'x', '--stream=y', '--to', 'z'])
  expect(positionals).toEqual(['a'])
  expect(options.has('raw')).toBe(true)
  expect(options.texts('stream')).toEqual(['x', 'y'])
  expect(options.text('to')).toBe('z')
  expect(options.text('from')).toBeUndefined()
})

test.each([[['--colour', 'a']], [['--to']], [['--raw=yes', 'a']], [[]], [['a', 'b']]])('%j is wrong usage', (args) => {
  expect(() => readArguments(command, args)).toThrow(usageError)
})

test('help may be asked for without operands', () => {
  expect(readArguments(command, ['--help']).options.has('help')).toBe(true)
})

test.each([
  ['2026-11-21', '2026-11-21T00:00:00.000Z'],
  ['2026-11-21T09:30Z', '2026-11-21T09:30:00.000Z'],
  ['2026-11-21T09:30:00.25+01:00', '2026-11-21T08:30:00.250Z']
])('%s is a time', (text, iso) => {
  expect(readTime('from', text)).toBe(Date.parse(iso) * 1000)
})

test.each(['', 'yesterday', '2026-11-21T09:30', '2026-13-01', '21.11.2026', '1', '2026-11-21T09:30:00Zjunk'])(
  '"%s" is no time',
  (text) => {
    expect(() => readTime('from', text)).toThrow(usageError)
  }
)

test('no text makes a time that is no number', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString())
      ),
      (text) => {
        try {
          expect(Number.isSafeInteger(readTime('from', text))).toBe(true)
        } catch (error) {
          expect(error).toEqual(usageError)
        }
      }
    )
  )
})

test('a period must not end before it begins', () => {
  expect(readPeriod(new Options({ from: '2026-01-01' }))).toEqual({ fromUs: Date.UTC(2026, 0, 1) * 1000 })
  expect(readPeriod(new Options({}))).toEqual({})
  expect(() => readPeriod(new Options({ from: '2026-01-02', to: '2026-01-01' }))).toThrow(usageError)
})

test('durations and numbers are bounded and need their form', () => {
  expect(readDuration('--for', '1.5m')).toBe(90_000)
  expect(() => readDuration('--for', '10')).toThrow(usageError)
  expect(readNumber('--rate', '0.5', 10)).toBe(0.5)
  for (const text of ['0', '-1', '11', 'x', '1e1', '']) expect(() => readNumber('--rate', text, 10)).toThrow(usageError)
  expect(readCount('--since', '1200000')).toBe(1_200_000)
  for (const text of ['0', '-1', '1.5', '1.0', '9007199254740993', '1e1', '']) {
    expect(() => readCount('--since', text)).toThrow(usageError)
  }
})
