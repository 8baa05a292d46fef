import fc from 'fast-check'
import { expect, test } from 'vitest'
import { frame, MemoryJournal, START_US } from '../../test/support/memory-journal.ts'
import { exportToOutput } from './export.ts'
import { envelope } from './formats/envelope.ts'
import { raw } from './formats/raw.ts'
import { type ImportedFrame, type ImportOptions, importLines } from './import.ts'

const DAY_US = 86_400_000_000

async function* cut(data: Buffer, size = 50): AsyncGenerator<Buffer> {
  for (let start = 0; start < data.length; start += size) yield data.subarray(start, start + size)
}

async function exported(journal: MemoryJournal, format = envelope): Promise<Buffer> {
  const written: Buffer[] = []
  await exportToOutput(async (data) => void written.push(data), journal, { query: {}, format })
  return Buffer.concat(written)
}

const imported = (text: string | Buffer, into: MemoryJournal, options?: ImportOptions, size?: number) =>
  importLines(cut(Buffer.from(text), size), into, options)

const comparable = ({ frames }: MemoryJournal): object[] =>
  frames.map(({ stream, wallUs, monoUs, boot, source, binary, payload }) => ({
    stream,
    wallUs,
    monoUs,
    boot,
    source,
    binary,
    payload: payload.toString('hex')
  }))

const pieces = fc.oneof(
  fc.json().map((json) => Buffer.from(json)),
  fc.constant(Buffer.from('{"user":"a","t":1}')),
  fc.constantFrom('\n', ' {', '"', '\u2028{}').map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
)

const frames: fc.Arbitrary<ImportedFrame[]> = fc.array(
  fc.record({
    stream: fc.constantFrom('spin30', 'spin31'),
    origin: fc.constantFrom('relay', 'own', 'import'),
    wallUs: fc.integer({ min: 0, max: 3 }).map((hours) => START_US + hours * 3_600_000_000),
    monoUs: fc.integer({ min: 0, max: 2 }),
    boot: fc.constantFrom('', 'b007'),
    source: fc.constantFrom('ntp', 'relay', 'trusted', 'none'),
    binary: fc.boolean(),
    payload: fc.array(pieces, { maxLength: 4 }).map((parts) => Buffer.concat(parts))
  }),
  { maxLength: 12 }
)

test('an envelope export, imported, is the same frames byte for byte, and twice changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(frames, async (list) => {
      const from = new MemoryJournal(list)
      const text = await exported(from)
      const into = new MemoryJournal()
      expect(await imported(text, into)).toMatchObject({ found: list.length, appended: list.length, bad: 0 })
      expect(comparable(into)).toEqual(comparable(from))
      expect(into.frames.every(({ origin }) => origin === 'import')).toBe(true)
      expect(await imported(text, into)).toMatchObject({ known: list.length, appended: 0 })
      expect(await imported(text, from)).toMatchObject({ known: list.length, appended: 0 })
    })
  )
})

test('an import adds what is missing and nothing else, however much of it is there already', async () => {
  await fc.assert(
    fc.asyncProperty(frames, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), async (list, kept) => {
      const whole = new MemoryJournal(list)
      const part = new MemoryJournal(list.filter((_, index) => kept[index]))
      await imported(await exported(whole), part)
      // what the clock was held right by is not part of what a frame is known by
      const sorted = (journal: MemoryJournal): string[] =>
        comparable(journal)
          .map((one) => JSON.stringify({ ...one, source: '' }))
          .sort()
      expect(sorted(part)).toEqual(sorted(whole))
    })
  )
})

test('a raw export, imported, finds its messages again, whatever frames they came in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ t: fc.integer({ min: 1, max: 3 }), a: fc.json() }), { maxLength: 9 }),
      async (list) => {
        const payload = Buffer.from(list.map((one) => JSON.stringify(one, undefined, one.t)).join(''))
        const journal = new MemoryJournal([frame({ payload, wallUs: 1000 })])
        const text = await exported(journal, raw)
        const options = { plainStream: 'spin30' }
        expect(await imported(text, journal, options)).toMatchObject({ found: list.length, appended: 0, bad: 0 })
        const other = new MemoryJournal()
        expect(await imported(text, other, options)).toMatchObject({ appended: list.length })
        expect(await imported(text, other, options)).toMatchObject({ appended: 0 })
        expect((await exported(other, raw)).equals(text)).toBe(true)
      }
    )
  )
})

test('identical messages are counted by occurrence', async () => {
  const line = `{"t":${START_US / 1000}}\n`
  const journal = new MemoryJournal([frame({ text: line.trim() })])
  const report = await imported(line.repeat(3), journal, { plainStream: 'spin30' })
  expect(report).toMatchObject({ found: 3, known: 1, appended: 2 })
  expect(await imported(line.repeat(3), journal, { plainStream: 'spin30' })).toMatchObject({ known: 3, appended: 0 })
})

test('a plain message is filed under its own time', async () => {
  const journal = new MemoryJournal()
  await imported('{"a":1}\n{"t":5.5}\n{"t":-1}{"t":1e300}\r\n', journal, { plainStream: 'spin30' })
  expect(journal.frames.map(({ wallUs, payload }) => [wallUs, payload.toString()])).toEqual([
    [5500, '{"a":1}'],
    [5500, '{"t":5.5}'],
    [5500, '{"t":-1}'],
    [5500, '{"t":1e300}']
  ])
  expect(journal.frames[0]).toMatchObject({ boot: '', source: 'none', monoUs: 0, origin: 'import', binary: false })
})

test('the journal may know a plain message by another time, seven days away at most', async () => {
  const text = `{"t":${START_US / 1000}}`
  const at = (wallUs: number): Promise<{ known: number }> =>
    imported(text, new MemoryJournal([frame({ text, wallUs })]), { plainStream: 'spin30' })
  expect(await at(START_US - 7 * DAY_US)).toMatchObject({ known: 1 })
  expect(await at(START_US + 7 * DAY_US)).toMatchObject({ known: 1 })
  expect(await at(START_US + 9 * DAY_US)).toMatchObject({ known: 0 })
})

test('a message in another stream is another message', async () => {
  const journal = new MemoryJournal([frame({ text: '{"t":1}', stream: 'spin31', wallUs: 1000 })])
  expect(await imported('{"t":1}', journal, { plainStream: 'spin30' })).toMatchObject({ known: 0, appended: 1 })
})

test('bad lines are counted and named by number, and the rest is taken', async () => {
  const journal = new MemoryJournal()
  const report = await imported('{"t":1}\nsecret\n\n{"t":2}oops\n"\n', journal, { plainStream: 'spin30' })
  expect(report).toMatchObject({ lines: 5, appended: 2, bad: 3, badLines: [2, 4, 5] })
  expect(JSON.stringify(report)).not.toContain('secret')
})

test('messages of a file without any time are bad lines', async () => {
  const journal = new MemoryJournal()
  expect(await imported('{}\n{}\n', journal, { plainStream: 'spin30' })).toMatchObject({ appended: 0, bad: 2 })
})

test('any bytes are lines or bad lines', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(undefined, 'spin30'), async (bytes, plain) => {
      await imported(Buffer.from(bytes), new MemoryJournal(), plain === undefined ? {} : { plainStream: plain }, 7)
    })
  )
})
