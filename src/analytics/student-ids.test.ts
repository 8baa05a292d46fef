import fc from 'fast-check'
import { expect, test } from 'vitest'
import { shortId } from './student-ids.ts'

test('a short id is never the whole one, and nothing but text', () => {
  expect(shortId('a1b2c3d4-0000-4000-8000-00000000000a')).toBe('a1b2c3d4…')
  expect(shortId('s1234567')).toBe('s123…')
  expect(shortId('x')).toBe('…')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (user) => {
      const shown = shortId(user)
      expect(shown.length).toBeLessThanOrEqual(Math.min(8, user.length / 2) + 1)
      expect(shown).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u)
    })
  )
})
