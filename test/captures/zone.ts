import { expect, test } from 'vitest'
import { liveYear } from './lived-year.ts'

const full = process.env['UNDERSTUDY_FULL'] === '1'

/**
 * Lives in one zone: its year, or a fifth of that, half around each change of the clock. A fifth takes half a minute; a
 * file a zone lets two of them run at a time.
 * @param changes the first of the days around each of the two changes, like `2026-02-20`
 */
export function testZone(zone: string, changes: readonly [string, string], seed: number): void {
  const lives = full
    ? [{ from: '2026-01-01', days: 366, seed }]
    : changes.map((from, half) => ({ from, days: 37, seed: seed + half }))

  test.each(lives)(`$days days from $from in ${zone}`, { timeout: 3_600_000 }, async ({ from, days, seed }) => {
    const lived = await liveYear(zone, Date.parse(`${from}T00:00:00Z`) * 1000, days, seed)
    console.log(`${zone}: ${JSON.stringify({ ...lived, broken: lived.broken.length })}`)
    expect(lived.broken.slice(0, 20)).toEqual([])
    expect(lived.windows).toBeGreaterThan(days * 25)
    expect(lived.faults).toBeGreaterThan(days / 10)
  })
}
