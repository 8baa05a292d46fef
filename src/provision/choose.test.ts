import fc from 'fast-check'
import { expect, test } from 'vitest'
import { credentialFiles } from '../sim/relay/credentials.ts'
import { type Brought, choose, type Pair } from './choose.ts'

const NOW_MS = Date.UTC(2026, 10, 21)
const DAY_S = 86_400

interface Wanted {
  /** From now. */
  readonly expiresDays: number
  readonly validInDays: number
  readonly relay: 'a' | 'b'
  readonly topic: 'spin30' | 'spin31'
}

/** A pair that was issued so. */
function issued({ expiresDays, validInDays, relay, topic }: Wanted): Pair {
  const audience = `https://relay-${relay}.example`
  const nbf = NOW_MS / 1000 + validInDays * DAY_S
  const order = { secret: 'any', audience, nowMs: NOW_MS, expiresInS: expiresDays * DAY_S, claims: { nbf } }
  return credentialFiles(topic, order)
}

const wanted = fc.record<Wanted>({
  // No two tokens are to end at the same time by chance: that case has a test of its own.
  expiresDays: fc.integer({ min: -400, max: 400 }).map((days) => days + 0.5),
  validInDays: fc.constantFrom(-1, -1, -1, 30),
  relay: fc.constantFrom('a', 'a', 'b'),
  topic: fc.constantFrom('spin30', 'spin30', 'spin31')
})

function asBrought(pair: Pair, group: string): Brought[] {
  return [
    { kind: 'access', value: pair.accessUrl, group },
    { kind: 'token', value: pair.token, group }
  ]
}

test('of whole pairs, the valid one that expires last is in use, whatever the order and wherever it was', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(wanted, { selector: (one) => one.expiresDays, maxLength: 6 }),
      fc.boolean(),
      (all, first) => {
        const pairs = all.map(issued)
        const [inPlace, ...rest] = first ? pairs : [undefined, ...pairs]
        const brought = rest.flatMap((pair, at) => asBrought(pair!, String(at)))
        const { pair, fates } = choose(inPlace ?? {}, brought, { ms: NOW_MS, known: true })
        const valid = all.filter(({ expiresDays, validInDays }) => expiresDays > 0 && validInDays < 0)
        const last = valid.toSorted((a, b) => b.expiresDays - a.expiresDays)[0]
        const used = pair ?? inPlace
        if (last) expect(used?.token).toBe(issued(last).token)
        else expect(pair).toBeUndefined()
        for (const [file, fate] of fates) {
          const half = file.kind === 'access' ? 'accessUrl' : 'token'
          // Only what is in use may be removed where it came from.
          if (fate.is === 'taken' || fate.is === 'known') expect(used?.[half]).toBe(file.value)
          if (fate.is === 'taken') expect(inPlace?.[half]).not.toBe(file.value)
        }
      }
    )
  )
})

test('what is in use afterwards never expires before what was, while that was good', () => {
  const ends = new Map<string, number>()
  const pairOf = (one: Wanted): Pair => {
    const pair = issued(one)
    ends.set(pair.token, one.expiresDays)
    return pair
  }
  fc.assert(
    fc.property(
      wanted,
      fc.array(fc.record({ of: wanted, halves: fc.constantFrom('both', 'access', 'token') })),
      (there, bringing) => {
        const inPlace = pairOf({ ...there, validInDays: -1 })
        const brought = bringing.flatMap(({ of, halves }, at) =>
          asBrought(pairOf(of), String(at)).filter(({ kind }) => halves === 'both' || halves === kind)
        )
        const { pair } = choose(inPlace, brought, { ms: NOW_MS, known: true })
        if (!pair) return
        expect(ends.get(pair.token)).toBeGreaterThan(0)
        if (there.expiresDays > 0) expect(ends.get(pair.token)).toBeGreaterThanOrEqual(there.expiresDays)
      }
    )
  )
})

const good: Wanted = { expiresDays: 100, validInDays: -1, relay: 'a', topic: 'spin30' }
const now = { ms: NOW_MS, known: true }

test('a new address with the token in place is taken', () => {
  const inPlace = issued(good)
  const accessUrl = inPlace.accessUrl.replace('/session/', '/v2/session/')
  const { pair, fates } = choose(inPlace, [{ kind: 'access', value: accessUrl, group: 'x' }], now)
  expect(pair).toEqual({ accessUrl, token: inPlace.token })
  expect([...fates.values()]).toEqual([{ is: 'taken' }])
})

test('a token goes with the address that lies in another folder, where none is in place', () => {
  const { accessUrl, token } = issued(good)
  const brought: Brought[] = [
    { kind: 'access', value: accessUrl, group: 'x' },
    { kind: 'token', value: token, group: 'y' }
  ]
  expect(choose({}, brought, now).pair).toEqual({ accessUrl, token })
})

test.each<[string, Partial<Wanted>, string]>([
  ['expired', { expiresDays: -1 }, 'UNDERSTUDY_RELAY_TOKEN_EXPIRED'],
  ['early', { validInDays: 1 }, 'UNDERSTUDY_RELAY_TOKEN_EARLY']
])('a token that is %s is refused by a clock that is right only', (_, other, code) => {
  const brought = asBrought(issued({ ...good, ...other }), 'x')
  expect([...choose({}, brought, now).fates.values()]).toMatchObject([{ is: 'waiting' }, { is: 'refused', code }])
  expect(choose({}, brought, { ms: NOW_MS, known: false }).pair).toBeDefined()
})

test('the same again is known, and an address without any token is missing one', () => {
  const inPlace = issued(good)
  expect([...choose(inPlace, asBrought(inPlace, 'x'), now).fates.values()]).toEqual([{ is: 'known' }, { is: 'known' }])
  const [access] = asBrought(inPlace, 'x')
  expect([...choose({}, [access!], now).fates.values()]).toMatchObject([
    { is: 'refused', detail: expect.stringMatching('log.token') }
  ])
})
