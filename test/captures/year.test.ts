import { expect, test } from 'vitest'
import { liveYear } from './lived-year.ts'

const full = process.env['UNDERSTUDY_FULL'] === '1'

/** Each with the days around its two changes of the clock. */
const zones = [
  ['Europe/London', '2026-02-20', '2026-10-06'],
  ['America/New_York', '2026-02-12', '2026-10-13'],
  ['Australia/Lord_Howe', '2026-03-12', '2026-09-14'],
  ['Asia/Kathmandu', '2026-03-12', '2026-09-14'],
  ['Etc/UTC', '2026-03-12', '2026-09-14']
] as const

/** A year, or a fifth of it: half of that around each change. */
const lives = zones.flatMap(([zone, spring, autumn], index) => {
  const seed = 100 * (index + 1)
  if (full) return [{ zone, from: '2026-01-01', days: 366, seed }]
  return [spring, autumn].map((from, half) => ({ zone, from, days: 37, seed: seed + half }))
})

test.each(lives)('$days days from $from in $zone', { timeout: 3_600_000 }, async ({ zone, from, days, seed }) => {
  const lived = await liveYear(zone, Date.parse(`${from}T00:00:00Z`) * 1000, days, seed)
  console.log(`${zone}: ${JSON.stringify({ ...lived, broken: lived.broken.length })}`)
  expect(lived.broken.slice(0, 20)).toEqual([])
  expect(lived.windows).toBeGreaterThan(days * 25)
  expect(lived.faults).toBeGreaterThan(days / 10)
})
