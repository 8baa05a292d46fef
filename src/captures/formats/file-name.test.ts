import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FileNames } from './file-name.ts'

const odd = [
  ...['..', '.', '', '-', '/', '../../etc/passwd', 'a\0b', '=x', '\ud800', 'é', 'CON.', 'nul', 'aux.txt', 'COM1.'],
  ...[
    'a-b',
    'a',
    'b-c',
    'A',
    'A-B',
    'Anna',
    'anna',
    'ANNA',
    'names',
    'manifest',
    'x\n',
    '~',
    ' a',
    'a ',
    'a.',
    '__proto__'
  ]
]
const names = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.uuid(),
  fc.constantFrom(...odd),
  fc.string({ minLength: 60, maxLength: 300 }),
  fc.stringMatching(/^[A-Za-z0-9._-]{0,70}$/)
)
type Named = readonly [user: string, hardware: string, exp: string, course: string]
const named: fc.Arbitrary<Named> = fc.tuple(names, names, names, names)

function fileName([user, ...parts]: Named, made = new FileNames(true)): string {
  return [made.of(user, 'user'), ...parts.map((part) => made.of(part, 'part'))].join('-')
}

test('no name becomes a path, a hidden file, an option, a device or too long', () => {
  fc.assert(
    fc.property(named, (one) => {
      const name = `${fileName(one)}-feedback.csv`
      expect(name).toMatch(/^[A-Za-z0-9_=][A-Za-z0-9._=-]*$/)
      expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\./i)
      expect(name.length).toBeLessThan(255)
      expect(['names.json', 'manifest.json']).not.toContain(`${fileName(one)}.json`.toLowerCase())
    })
  )
})

test('different names stay different, joined too', () => {
  fc.assert(
    fc.property(named, named, (one, other) => {
      expect(fileName(one) === fileName(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
    })
  )
  expect(fileName(['a-b', 'c', 'd', 'e'])).not.toBe(fileName(['a', 'b-c', 'd', 'e']))
})

test('in one folder no two are the same on a disk that does not tell upper from lower case', () => {
  const flipped = fc
    .tuple(named, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
    .map(
      ([one, flips]) => one.map((part, at) => (flips[at] ? part.toUpperCase() : part.toLowerCase())) as unknown as Named
    )
  fc.assert(
    fc.property(fc.array(fc.oneof(named, flipped), { maxLength: 30 }), (all) => {
      const made = new FileNames()
      const given = new Map(all.map((one) => [JSON.stringify(one), fileName(one, made)]))
      // asked again, each has the same
      for (const one of all) expect(fileName(one, made)).toBe(given.get(JSON.stringify(one)))
      expect(new Set([...given.values()].map((name) => name.toLowerCase())).size).toBe(given.size)
    })
  )
})

test('what was encoded is found again by what is noted, also when that was written as JSON', () => {
  fc.assert(
    fc.property(fc.array(named, { maxLength: 10 }), (all) => {
      const made = new FileNames()
      const given = all.map((one) => one.map((part, at) => made.of(part, at === 0 ? 'user' : 'part')))
      const noted = new Map<string, string>(
        Object.entries(JSON.parse(JSON.stringify(Object.fromEntries(made.encoded))))
      )
      expect(given.map((parts) => parts.map((part) => noted.get(part) ?? part))).toEqual(all)
      for (const code of noted.keys()) expect(code).toMatch(/^=[0-9a-f]{32}$/)
    })
  )
})

test('ordinary ids stay as they are, and the others are noted', () => {
  const made = new FileNames()
  const uuid = '2265b1f5-91b7-4d8f-8cd6-1027c386bbc4'
  for (const id of [uuid, 's1234567', 'S7654321', 'anna.berg', 'a'.repeat(64)]) expect(made.of(id, 'user')).toBe(id)
  expect(made.encoded.size).toBe(0)
  const code = made.of('../x', 'user')
  expect(made.encoded.get(code)).toBe('../x')
  expect(made.encoded.get(made.of('ANNA.Berg', 'user'))).toBe('ANNA.Berg')
})
