import { expect, test } from 'vitest'
import { live } from './life.ts'
import { liveMany } from './many.ts'
import { drawPlan, type Fault, type Plan } from './plan.ts'
import { shrink } from './shrink.ts'
import { tell, tellAll } from './tell.ts'

const TWO_HOURS = 2 / 24

test.each([1, 2, 3])('the same seed gives the same log, byte for byte (%i)', async (seed) => {
  const first = await live(drawPlan(seed, TWO_HOURS))
  const again = await live(drawPlan(seed, TWO_HOURS))
  expect(first.log.length).toBeGreaterThan(100)
  expect(again.log.join('\n')).toBe(first.log.join('\n'))
  expect((await live(drawPlan(seed + 100, TWO_HOURS))).digest).not.toBe(first.digest)
})

test('a life that goes wrong is shrunk to the faults that it takes', async () => {
  const fault = (atMs: number): Fault => ({ kind: 'kill', atMs, forMs: 1, chance: 0 })
  const plan: Plan = { ...drawPlan(1, TWO_HOURS), faults: Array.from({ length: 20 }, (_, i) => fault(i)) }
  let lives = 0
  const small = await shrink(plan, async ({ faults }) => {
    lives++
    return [3, 17].every((atMs) => faults.some((one) => one.atMs === atMs))
  })
  expect(small.faults.map(({ atMs }) => atMs)).toEqual([3, 17])
  expect(lives).toBeLessThan(60)
  expect(tell(small, 'it is gone', ['1 kill'])).toContain('--seed 1 --days 0.08333')
})

test('what may have been dropped while a full disk kept memory full says so', async () => {
  const fault = (kind: Fault['kind'], atMs: number, forMs: number): Fault => ({ kind, atMs, forMs, chance: 0.32 })
  const faults = [fault('disk full', 60_000, 300_000), ...[1, 2, 3].map((n) => fault('flood', 60_000 + n * 20_000, 1))]
  const { broken, log } = await live({ ...drawPlan(1, TWO_HOURS), streams: 1, memoryBytes: 100_000, faults })
  expect(broken).toBe(undefined)
  const uncertain = log.filter((line) => line.includes('messages may be missing'))
  expect(uncertain.join('\n')).toMatch(/"reason":"disk full"/)
})

// Always as many as are promised, also where the other suites repeat a fifth.
test.each([
  { seeds: 1000, days: TWO_HOURS },
  { seeds: 10, days: 30 }
])('every promise is kept in $seeds lives of $days days', { timeout: 1_800_000 }, async ({ seeds, days }) => {
  const beganMs = performance.now()
  const summary = await liveMany({ firstSeed: 1, seeds, days })
  console.log(tellAll(summary, days, performance.now() - beganMs))
  expect(summary.broken.map(({ plan, broken: what = '', log }) => tell(plan, what, log)).join('\n\n')).toBe('')
  expect(summary.lives).toBe(seeds)
  expect(summary.entries).toBeGreaterThan(100 * seeds)
  expect(summary.recoveries).toBeGreaterThan(seeds / 20)
})
