import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'
import { type Catalogue, readCatalogue, readFrozenPosition, writeCatalogue } from './catalogue.ts'
import { aMachine } from './fixtures.ts'

const path = '/data/catalogue'
const catalogue: Catalogue = {
  reserved: { position: 1_000_001, seq: 1_000_001 },
  stores: [
    { number: 1, firstPosition: 1, begunUs: 5, finished: { nextPosition: 90, chain: 'ab'.repeat(32) } },
    { number: 3, firstPosition: 90, begunUs: 9 }
  ]
}

async function written(): Promise<Files> {
  const { files } = aMachine().world
  await files.makeDirectory('/data')
  await writeCatalogue(files, path, catalogue)
  return files
}

test('what was written comes back; nothing where nothing is', async () => {
  const files = await written()
  expect(await readCatalogue(files, path)).toEqual(catalogue)
  expect(await readCatalogue(files, '/data/none')).toBe(undefined)
})

test('every release can read the version and a position above all', async () => {
  const [header] = (await (await written()).readFile(path)).toString().split('\n')
  expect(header).toMatch(/^understudy-catalogue 1 1000001 [0-9a-f]{64}$/)
})

test('a later version is told from damage', async () => {
  const files = await written()
  const digest = hash('sha256', '2 77\nwhat follows is not known yet')
  await files.writeFile(path, `understudy-catalogue 2 77 ${digest}\nwhat follows is not known yet\n`)
  await expect(readCatalogue(files, path)).rejects.toMatchObject({ code: 'UNDERSTUDY_STORE_NEWER' })
  expect(await readFrozenPosition(files, path)).toBe(77)
})

test('ten thousand mutated catalogues: the same content, or one coded error', async () => {
  const files = await written()
  const whole = await files.readFile(path)
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255), fc.constantFrom('set', 'insert', 'remove', 'cut'))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 3 }), async (changes) => {
      let bytes = [...whole]
      for (const [at, byte, how] of changes) {
        if (how === 'set') bytes[at] = byte
        else if (how === 'cut') bytes = bytes.slice(0, at)
        else bytes.splice(at, how === 'remove' ? 1 : 0, ...(how === 'insert' ? [byte] : []))
      }
      const mutated = Buffer.from(bytes)
      try {
        expect(await readCatalogue({ info: async () => ({}), readFile: async () => mutated } as never, path)).toEqual(
          catalogue
        )
      } catch (error) {
        if (!(error instanceof UnderstudyError)) throw error
        expect(error.code).toBe('UNDERSTUDY_CATALOGUE_DAMAGED')
      }
    }),
    { numRuns: 10_000 }
  )
})
