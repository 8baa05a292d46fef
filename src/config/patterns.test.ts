import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPattern, streamMatcher } from './patterns.ts'

test.each([
  [['spin30'], 'spin30', true],
  [['spin30'], 'spin301', false],
  [['spin3*'], 'spin30', true],
  [['spin3?'], 'spin3', false],
  [['spin[1-3]'], 'spin2', true],
  [['{spin,pend}1'], 'pend1', true],
  [['pend*', 'spin*'], 'spin4', true],
  [[], 'spin4', false]
])('%j and %s: %s', (patterns, stream, matches) => {
  expect(streamMatcher(patterns)(stream)).toBe(matches)
})

test.each(['', 'spin{1..3}', '!spin3', 'a/b', '+(a)', 'a b', '*a*a*a*a*a', 'a'.repeat(101)])(
  '%j is refused',
  (text) => {
    expect(isPattern(text)).toBe(false)
  }
)

test('whatever is allowed can be asked', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab-_*?[]{},'), maxLength: 100 }).filter(isPattern)
  fc.assert(
    fc.property(text, fc.string({ unit: fc.constantFrom(...'ab-_'), maxLength: 64 }), (pattern, stream) => {
      expect(typeof streamMatcher([pattern])(stream)).toBe('boolean')
    })
  )
})
