import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fingerprints, valueFingerprint } from './fingerprints.ts'

test('each occurrence can be taken once', () => {
  const some = fc.array(fc.bigInt({ min: 0n, max: 9n }))
  fc.assert(
    fc.property(some, some, (found, asked) => {
      const left = [...found]
      const fingerprints = new Fingerprints(found)
      for (const one of asked) {
        const at = left.indexOf(one)
        if (at >= 0) left.splice(at, 1)
        expect(fingerprints.take(one)).toBe(at >= 0)
        expect(fingerprints.wasTaken(one)).toBe(found.includes(one))
      }
    })
  )
})

test('a value is known however it was written', () => {
  expect(valueFingerprint(JSON.parse('{"a":1.0,"b":["\\u00e9",1e3]}'))).toBe(
    valueFingerprint(JSON.parse('{ "b": ["é", 1000], "a": 1 }'))
  )
  expect(valueFingerprint(JSON.parse('{"a":1}'))).not.toBe(valueFingerprint(JSON.parse('{"a":"1"}')))
  expect(valueFingerprint(JSON.parse(`${'['.repeat(9000)}${']'.repeat(9000)}`))).toBeUndefined()
})
