import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyOf } from './any-of.ts'

const texts = ['"request"', '"response"']
const hasAny = anyOf(texts)
/** Pieces of them are what could be stepped over wrongly. */
const bytes = fc
  .array(fc.oneof(fc.constantFrom(...texts, '"', '"re', 'request', 'ponse"', '"res', 't"', '{"type":'), fc.string()))
  .map((pieces) => Buffer.from(pieces.join('')))

test('finds a text exactly where `includes` does', () => {
  fc.assert(
    fc.property(bytes, (content) => {
      expect(hasAny(content)).toBe(texts.some((text) => content.includes(text)))
    })
  )
})

test('so for any texts', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 })
  const content = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 12 })
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 3 }), content, (words, text) => {
      expect(anyOf(words)(Buffer.from(text))).toBe(words.some((one) => text.includes(one)))
    }),
    { numRuns: 1000 }
  )
})
