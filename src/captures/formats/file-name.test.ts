import fc from 'fast-check'
import { expect, test } from 'vitest'
import { safeName } from './file-name.ts'

const names = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.uuid(),
  fc.constantFrom('..', '.', '', '-', 'a-b', 'a', 'b-c', '/', '../../etc/passwd', 'a\0b', 'CON.', '=x', '\ud800', 'é'),
  fc.string({ minLength: 60, maxLength: 300 })
)

function fileName(parts: readonly [string, string, string]): string {
  const [user, exp, course] = parts
  return [
    safeName(user, 'user', new Map()),
    safeName(exp, 'part', new Map()),
    safeName(course, 'part', new Map())
  ].join('-')
}

test('no name becomes a path, a hidden file, an option or too long', () => {
  fc.assert(
    fc.property(fc.tuple(names, names, names), (parts) => {
      const name = fileName(parts)
      expect(name).toMatch(/^[A-Za-z0-9_=][A-Za-z0-9._=-]*$/)
      expect(`${name}-${safeName(parts[1], 'part', new Map())}-feedback.csv`.length).toBeLessThan(255)
    })
  )
})

test('different names stay different, joined too', () => {
  const triple = fc.tuple(names, names, names)
  fc.assert(
    fc.property(triple, triple, (one, other) => {
      expect(fileName(one) === fileName(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
    })
  )
  expect(fileName(['a-b', 'c', 'd'])).not.toBe(fileName(['a', 'b-c', 'd']))
})

test('ordinary ids stay as they are, and the others are noted', () => {
  const encoded = new Map<string, string>()
  const uuid = '2265b1f5-91b7-4d8f-8cd6-1027c386bbc4'
  expect(safeName(uuid, 'user', encoded)).toBe(uuid)
  expect(safeName('s1234567', 'user', encoded)).toBe('s1234567')
  expect(encoded.size).toBe(0)
  const short = safeName('../x', 'user', encoded)
  expect(encoded.get(short)).toBe('../x')
})
