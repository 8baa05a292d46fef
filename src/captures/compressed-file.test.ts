import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { realFiles } from '../world/real/files.ts'
import { realZstd } from '../world/real/zstd.ts'
import { CompressedFile, compressionOf, readCompressed } from './compressed-file.ts'
import { zstdFrames } from './zstd-frames.ts'

const doors = { files: realFiles, zstd: realZstd }
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'understudy-compressed-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

async function written(path: string, chunks: readonly Buffer[], compression: 'zstd' | 'gzip') {
  const file = await CompressedFile.create(doors, path, compression)
  for (const chunk of chunks) await file.append(chunk)
  return file.finish()
}

const lines = (count: number): Buffer => Buffer.from(Array.from({ length: count }, (_, i) => `{"n":${i}}\n`).join(''))

test.each(['zstd', 'gzip'] as const)('%s of several chunks reads back as it was written', async (compression) => {
  const path = join(folder, `some.jsonl.${compression === 'zstd' ? 'zst' : 'gz'}`)
  const chunks = [lines(70_000), lines(3), lines(90_000), Buffer.alloc(3_000_000, 'a'), lines(1)]
  const made = await written(path, chunks, compression)
  const read: Buffer[] = []
  const back = await readCompressed(doors, path, compressionOf(path), (content) => void read.push(Buffer.from(content)))
  expect(back).toEqual(made)
  expect(Buffer.concat(read).equals(Buffer.concat(chunks))).toBe(true)
})

test('an empty file is one', async () => {
  for (const compression of ['zstd', 'gzip'] as const) {
    const path = join(folder, `empty.${compression}`)
    const made = await written(path, [], compression)
    expect(await readCompressed(doors, path, compression)).toEqual(made)
    expect(made.uncompressed?.bytes).toBe(0)
  }
})

test('gzip is one member, as browsers need it', async () => {
  const path = join(folder, 'one.gz')
  await written(path, [lines(200_000), lines(200_000)], 'gzip')
  const bytes = await realFiles.readFile(path)
  expect(gunzipSync(bytes).length).toBe(2 * lines(200_000).length)
  expect(bytes.subarray(10).includes(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]))).toBe(false)
})

test.each(['zst', 'gz'])('a %s that was cut off or changed does not read as what it was', async (ending) => {
  const path = join(folder, `damaged.${ending}`)
  const made = await written(path, [lines(60_000), lines(70_000), lines(80_000)], compressionOf(path)!)
  const whole = await realFiles.readFile(path)
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.boolean(), async (at, cut) => {
      const changed = Buffer.from(cut ? whole.subarray(0, at) : whole)
      if (!cut) changed[at]! ^= 1
      writeFileSync(path, changed)
      const back = await readCompressed(doors, path, compressionOf(path)).catch(() => undefined)
      expect(back?.sha256).not.toBe(made.sha256)
    }),
    { numRuns: 30 }
  )
})

test('frames are found however they come in pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 400 })),
      fc.integer({ min: 1, max: 50 }),
      async (some, size) => {
        const frames = some.map((data) => zstdCompressSync(data))
        const all = Buffer.concat(frames)
        async function* inPieces(): AsyncGenerator<Buffer> {
          for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size)
        }
        const found: string[] = []
        for await (const frame of zstdFrames(inPieces(), 1000)) found.push(frame.toString('hex'))
        expect(found).toEqual(frames.map((frame) => frame.toString('hex')))
      }
    )
  )
})
