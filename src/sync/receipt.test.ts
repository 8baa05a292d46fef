import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseReceipt, proofOf } from './receipt.ts'

const aSum = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const aName = fc.stringMatching(/^[\w%][\w.% -]{0,20}$/)
const someSums = fc.uniqueArray(fc.tuple(aName, aSum), { selector: ([name]) => name, maxLength: 8 })

const written = (recheck: string, sums: ReadonlyArray<readonly [string, string]>): string =>
  `# ${recheck}\n${sums.map(([name, sum]) => `${sum}  ./${name}\n`).join('')}`

test('a receipt comes back as sha256sum has written it', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[\w-]{0,30}$/), someSums, (recheck, sums) => {
      expect(parseReceipt(written(recheck, sums))).toEqual({ recheck, sums: new Map(sums) })
    })
  )
})

test('the order does not matter, and anything else does', () => {
  fc.assert(
    fc.property(someSums, fc.nat(), fc.nat(255), (sums, at, byte) => {
      const proof = proofOf(new Map(sums))
      expect(proofOf(parseReceipt(written('', sums.toReversed())).sums)).toBe(proof)
      const bytes = Buffer.from(written('', sums))
      const place = 3 + (at % Math.max(1, bytes.length - 3))
      const changed = Buffer.from(bytes)
      changed[place] = byte
      if (sums.length === 0 || changed.equals(bytes)) return
      const same = proofOf(parseReceipt(changed.toString('latin1')).sums) === proof
      // The mark between hash and name may be of either kind; an empty line says nothing.
      const mark = / [ *]\.\//.test(changed.toString('latin1').slice(Math.max(0, place - 1), place + 3))
      expect(same && !mark && byte !== 10).toBe(false)
    })
  )
})

test('a receipt that was cut, or is none, is like no folder', () => {
  const sums: Array<[string, string]> = [
    ['manifest.json', 'a'.repeat(64)],
    ['spin30.jsonl.zst', 'b'.repeat(64)]
  ]
  const text = written('', sums)
  for (let end = 0; end < text.length - 1; end++) {
    expect(proofOf(parseReceipt(text.slice(0, end)).sums)).not.toBe(proofOf(new Map(sums)))
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (other) => proofOf(parseReceipt(other).sums) !== proofOf(new Map(sums)))
  )
})
