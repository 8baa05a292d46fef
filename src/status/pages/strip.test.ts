import { expect, test } from 'vitest'
import type { StreamCoverage } from '../../journal/reading.ts'
import { BIN_MS } from '../activity.ts'
import type { StatusSources } from '../sources.ts'
import { binKinds, strip } from './strip.ts'

const FROM_MS = 1_000 * BIN_MS
const always: StatusSources['inTerm'] = () => true
const us = (bins: number): number => (FROM_MS + bins * BIN_MS) * 1000

function covered(
  rest: ReadonlyArray<readonly [from: number, to: number, kind?: 'gap' | 'uncertain']>,
  toBins = 6
): StreamCoverage {
  const parts = rest.map(([from, to, kind = 'gap']) => ({
    fromUs: us(from),
    toUs: us(to),
    kind,
    cause: 'connection lost'
  }))
  return { stream: 'spin30', fromUs: us(0), toUs: us(toBins), heardUs: 0, share: 0, rest: parts }
}

const kinds = (coverage: StreamCoverage | undefined, counts: number[], inTerm = always): string[] =>
  binKinds(coverage, counts, FROM_MS, inTerm)

test('each quarter of an hour is the worst that was in it', () => {
  expect(
    kinds(
      covered([
        [2.9, 3.1],
        [4, 4.01, 'uncertain']
      ]),
      [1, 0, 5, 5, 5, 0]
    )
  ).toEqual(['recorded', 'quiet', 'gap', 'gap', 'uncertain', 'quiet'])
})

test('what has not been is not drawn, nor what is not known', () => {
  expect(kinds(covered([], 1.5), [1, 1, 1])).toEqual(['recorded', 'recorded', 'unknown'])
  expect(kinds(undefined, [1, 1])).toEqual(['unknown', 'unknown'])
})

test('outside term a time without hearing is no gap, and what was heard is shown all the same', () => {
  const until = (atMs: number): boolean => atMs < FROM_MS + 2 * BIN_MS
  expect(kinds(covered([[1, 4]]), [1, 0, 0, 0, 2, 0], until)).toEqual([
    'recorded',
    'gap',
    'outside',
    'outside',
    'recorded',
    'quiet'
  ])
  expect(kinds(covered([[3.5, 6]], 5.5), [0, 0, 0, 0, 0, 0], () => false)).toEqual([
    'quiet',
    'quiet',
    'quiet',
    'gap',
    'outside',
    'outside'
  ])
})

test('it says the same in words', () => {
  const coverage = covered([
    [2, 2.1],
    [4, 4.2]
  ])
  const { text } = strip(binKinds(coverage, [1, 1, 0, 0, 0, 0], FROM_MS, always), coverage)
  const words = 'Last 24 hours: recorded 30 min, quiet 30 min, not heard 4 min in 2 gaps (connection lost)'
  expect(text).toContain(`aria-label="${words}"`)
  expect(text).toContain(`<title>${words}</title>`)
  expect(text.match(/<rect class="gap"/g)).toHaveLength(2)
  expect(strip([], undefined).text).toContain('Last 24 hours: not known')
})
