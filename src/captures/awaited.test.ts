import { expect, test } from 'vitest'
import { withAwaited } from './awaited.ts'
import { beginning } from './ledger.ts'

const among = { from: 1, to: 100 }

test('what has become unreadable since is passed over too, and nothing twice', () => {
  const progress = { ...beginning, place: { position: 100, skipped: [{ from: 10, to: 20 }] } }
  const withDamage = (from: number, to: number) =>
    withAwaited(progress, { awaited: () => [{ from, to }] }, among).place.skipped
  expect(withDamage(30, 40)).toEqual([...progress.place.skipped, { from: 30, to: 40 }])
  expect(withDamage(5, 30)).toEqual([...progress.place.skipped, { from: 5, to: 10 }, { from: 20, to: 30 }])
  expect(withDamage(12, 18)).toEqual(progress.place.skipped)
})

test('where everything can be read nothing changes', () => {
  const progress = { ...beginning, place: { position: 100 } }
  expect(withAwaited(progress, { awaited: () => [] }, among)).toBe(progress)
})
