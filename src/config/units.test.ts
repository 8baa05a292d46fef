import { expect, test } from 'vitest'
import { parseDuration, parseSize } from './units.ts'

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
  ['1.5h', 5_400_000],
  ['500 ms', 500],
  ['0s', 0]
])('the duration %s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each([
  ['1B', 1],
  ['64kB', 64_000],
  ['256MB', 256e6],
  ['2GB', 2e9],
  ['1TB', 1e12],
  ['64KiB', 65_536],
  ['1MiB', 1_048_576],
  ['1.5GiB', 1_610_612_736],
  ['1TiB', 2 ** 40]
])('the size %s is %i bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each([
  ['500', 'found a number without a unit'],
  ['5 min', 'found an unknown unit'],
  ['5S', 'found an unknown unit'],
  ['1constructor', 'found an unknown unit'],
  ['1h30m', 'found other text'],
  ['-1s', 'found other text'],
  ['.5s', 'found other text'],
  ['', 'found other text'],
  ['s', 'found other text'],
  ['1s\n', 'found other text'],
  ['999999999999999d', 'found too large a number']
])('%j is no duration', (text, found) => {
  expect(() => parseDuration(text)).toThrow(`${found}, expected a duration: a number with ms, s, m, h or d`)
})

test.each(['64KB', '64kb', '64Kib', '64M', '10s'])('%s is no size', (text) => {
  expect(() => parseSize(text)).toThrow('found an unknown unit, expected a size: a number with B, kB, MB')
})
