import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lines } from './lines.ts'

async function collected(chunks: readonly Uint8Array[], maxBytes: number): Promise<Array<string | undefined>> {
  const found: Array<string | undefined> = []
  const all = (async function* () {
    yield* chunks
  })()
  for await (const batch of lines(all, maxBytes)) {
    for (const { number, bytes } of batch) {
      found.push(bytes?.toString('latin1'))
      expect(number).toBe(found.length)
    }
  }
  return found
}

test('lines are the same however the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.constantFrom('a', 'b', '\n'))), async (chunks) => {
      const text = chunks.flat().join('')
      const expected = text.split('\n')
      if (expected.at(-1) === '') expected.pop()
      expect(
        await collected(
          chunks.map((chunk) => Buffer.from(chunk.join(''))),
          1000
        )
      ).toEqual(expected)
    })
  )
})

test('a line that is too long is passed over, the next one is not', async () => {
  const chunks = ['aaa', 'aaa', 'a\nbbbbb\ncc', 'cccc'].map((text) => Buffer.from(text))
  expect(await collected(chunks, 5)).toEqual([undefined, 'bbbbb', undefined])
})

test('a carriage return before the line break is taken off', async () => {
  expect(await collected([Buffer.from('a\r\nb\rc\n')], 9)).toEqual(['a', 'b\rc'])
})
