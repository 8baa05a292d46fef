import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { CHAIN_START, deriveSalts, digestPayload, SALT_BYTES } from './chain.ts'
import type { Entry, Frame } from './entry.ts'
import { aFrame, anEvent } from './fixtures.ts'
import { chainAfter } from './seal.ts'

const salt = Buffer.alloc(SALT_BYTES, 7)

function chained(...entries: Entry[]): string {
  return chainAfter(CHAIN_START, { salt, entries }).toString('hex')
}

/** What an erasure leaves of entries: the digest of one, the salts of the others. */
function erase(entries: readonly Frame[], index: number, rest = Buffer.alloc(0)): Entry[] {
  return entries.map((entry, at) => {
    if (at !== index) return entry
    const own = deriveSalts(salt, entries.length).subarray(at * SALT_BYTES, (at + 1) * SALT_BYTES)
    const digest = Buffer.from(digestPayload(own, entry.payload), 'latin1').toString('hex')
    const erased = { by: 'op', atUs: 1, payloadBytes: entry.payload.length, digest, restDigest: hash('sha256', rest) }
    return { ...entry, payload: rest, erased }
  })
}

test.each<Partial<Frame>>([
  { position: 2 },
  { stream: 'spin31' },
  { seq: 2 },
  { origin: 'own' },
  { origin: 'import' },
  { binary: true },
  { wallUs: 1 },
  { monoUs: 5_000_001 },
  { monoUs: -5_000_000 },
  { boot: 'b008' },
  { source: 'relay' },
  { payload: Buffer.from('{"user":"anom"}') },
  { payload: Buffer.alloc(0) }
])('an entry changed in %o has another hash', (change) => {
  expect(chained(aFrame(change))).not.toBe(chained(aFrame()))
})

test('an event is not a frame of the same payload', () => {
  const event = anEvent({ event: 'stop' })
  const { payload } = event
  expect(chained(event)).not.toBe(chained(aFrame({ payload, stream: '', seq: 0 })))
})

test('order, salt, what came before and where a commit ended count', () => {
  const [one, two] = [aFrame(), aFrame({ position: 2, seq: 2 })]
  const whole = chained(one, two)
  expect(chained(two, one)).not.toBe(whole)
  expect(chained(one)).not.toBe(whole)
  const other = { salt: Buffer.alloc(SALT_BYTES, 8), entries: [one, two] }
  expect(chainAfter(CHAIN_START, other).toString('hex')).not.toBe(whole)
  expect(chainAfter(Buffer.alloc(32, 1), { salt, entries: [one, two] }).toString('hex')).not.toBe(whole)
  const apart = chainAfter(chainAfter(CHAIN_START, { salt, entries: [one] }), { salt, entries: [two] })
  expect(apart.toString('hex')).not.toBe(whole)
})

test('a digest is the SHA-256 of salt and payload, of whatever size', () => {
  for (const bytes of [0, 1, 1_000_000, 1_000_001]) {
    const payload = Buffer.alloc(bytes, 'a')
    expect(Buffer.from(digestPayload(salt, payload), 'latin1').toString('hex')).toBe(
      hash('sha256', Buffer.concat([salt, payload]))
    )
  }
})

test('every entry has a salt of its own', () => {
  const salts = deriveSalts(salt, 100).toString('hex').match(/.{32}/g)
  expect(new Set(salts).size).toBe(100)
})

test.each([Buffer.alloc(0), Buffer.from('{"kept":1}')])('erasing a payload by its digest keeps the chain', (rest) => {
  const entries = [1, 2, 3].map((position) => aFrame({ position, seq: position, payload: Buffer.from(`${position}`) }))
  const kept = entries.map((_, at) =>
    at === 1 ? undefined : deriveSalts(salt, 3).subarray(at * SALT_BYTES, (at + 1) * SALT_BYTES)
  )
  const after = chainAfter(CHAIN_START, { salt: kept, entries: erase(entries, 1, rest) })
  expect(after.toString('hex')).toBe(chained(...entries))
})

test('an entry that has lost its salt without being erased proves nothing', () => {
  expect(() => chainAfter(CHAIN_START, { salt: [undefined], entries: [aFrame()] })).toThrow(/salt/)
})
