import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type MessagesInLine, messagesInFile } from './messages-in-file.ts'

async function read(text: string | Buffer, pieceBytes = 7): Promise<MessagesInLine[]> {
  const bytes = Buffer.from(text)
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
  }
  const found: MessagesInLine[] = []
  for await (const line of messagesInFile(pieces())) found.push(line)
  return found
}

const envelope = { stream: 'spin30', seq: 1, part: 0, time_us: 5, mono_us: 5, boot: 'b', synced: true, origin: 'relay' }

test('plain lines, joined ones, envelopes, and lines that are no message', async () => {
  const text = [
    '{"a":1}',
    '{"a":2} {"a":3}\r',
    '',
    'rubbish',
    JSON.stringify({ ...envelope, raw: '{"a":4}' }),
    JSON.stringify({ ...envelope, raw_b64: Buffer.from('{"a":5}').toString('base64') }),
    '{"a":6'
  ].join('\n')
  expect(await read(text)).toEqual([
    { number: 1, messages: [{ a: 1 }] },
    { number: 2, messages: [{ a: 2 }, { a: 3 }] },
    { number: 4, messages: [] },
    { number: 5, messages: [{ a: 4 }] },
    { number: 6, messages: [{ a: 5 }] },
    { number: 7, messages: [] }
  ])
})

test('whatever comes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.object()), fc.integer({ min: 1, max: 50 }), async (objects, pieceBytes) => {
      const text = objects.map((one) => `${JSON.stringify(one)}\n`).join('')
      const found = await read(text, pieceBytes)
      expect(found.flatMap(({ messages }) => messages)).toEqual(objects.map((one) => JSON.parse(JSON.stringify(one))))
    })
  )
  await fc.assert(fc.asyncProperty(fc.uint8Array(), async (bytes) => void (await read(Buffer.from(bytes)))))
})
