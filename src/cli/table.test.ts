import { expect, test } from 'vitest'
import { coverageTable, liveLine, liveTable, table } from './table.ts'
import { countText, durationText, plural, shareText } from './text.ts'

const START_US = Date.UTC(2026, 10, 21) * 1000

test('columns are as wide as their widest cell, numbers at the right', () => {
  expect(
    table(
      ['A', '>B', 'C'],
      [
        ['long', '1', 'x'],
        ['s', '200', '']
      ]
    )
  ).toBe('A       B  C\nlong    1  x\ns     200\n')
})

test('coverage shows each share and everything that was not heard', () => {
  const text = coverageTable([
    { stream: 'spin30', fromUs: START_US, toUs: START_US + 100e6, heardUs: 100e6, share: 1, rest: [] },
    {
      stream: 'spin31',
      fromUs: START_US,
      toUs: START_US + 100e6,
      heardUs: 88e6,
      share: 0.88,
      rest: [
        { fromUs: START_US, toUs: START_US + 2e6, kind: 'gap', cause: 'refused', code: 'UNDERSTUDY_RELAY_DENIED' },
        { fromUs: START_US + 50e6, toUs: START_US + 60e6, kind: 'uncertain', cause: 'stalled' }
      ]
    }
  ])
  const lines = text.split('\n').map((line) => line.split(/ {2,}/))
  expect(lines[1]?.slice(0, 2)).toEqual(['spin30', '100 %'])
  expect(lines[2]).toEqual([
    'spin31',
    '88.00 %',
    '2026-11-21T00:00:00.000Z',
    '2026-11-21T00:01:40.000Z',
    '1 (2 s)',
    '1 (10 s)'
  ])
  expect(lines[5]).toEqual([
    'spin31',
    'gap',
    '2026-11-21T00:00:00.000Z',
    '2026-11-21T00:00:02.000Z',
    '2 s',
    'refused (UNDERSTUDY_RELAY_DENIED)'
  ])
  expect(lines[6]?.slice(-2)).toEqual(['10 s', 'stalled'])
})

test('only the whole is 100 %', () => {
  expect([1, 0.999999999, 0.5, 0].map(shareText)).toEqual(['100 %', '99.99 %', '50.00 %', '0.00 %'])
})

test.each([
  [0, '0 ms'],
  [250_000, '250 ms'],
  [59.99e6, '59.9 s'],
  [60e6, '1 min 0 s'],
  [3_725e6, '1 h 2 min'],
  [90_000e6, '1 d 1 h']
])('%i µs are %s', (us, text) => {
  expect(durationText(us)).toBe(text)
})

test('counts are easy to read', () => {
  expect([countText(1_234_567), plural(1, 'gap'), plural(0, 'gap')]).toEqual(['1,234,567', '1 gap', '0 gaps'])
})

test('the live table has a row for each stream', () => {
  const rows = [
    { stream: 'spin30', heard: true, messages: 1200, messagesPerSecond: 2.25, lastUs: START_US, gaps: 0 },
    { stream: 'spin31', heard: false, messages: 0, messagesPerSecond: 0, lastUs: undefined, gaps: 1 }
  ]
  const lines = liveTable(rows, START_US + 3e6)
    .split('\n')
    .map((line) => line.split(/ {2,}/))
  expect(lines[1]).toEqual(['spin30', 'heard', '1,200', '2.3/s', '3 s ago', '0'])
  expect(lines[2]).toEqual(['spin31', 'not heard', '0', '0.0/s', 'never', '1'])
  expect(liveLine(rows)).toBe('1 of 2 streams heard, 1,200 messages, 2.3/s\n')
})
