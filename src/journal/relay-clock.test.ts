import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RelayClock } from './relay-clock.ts'

const S = 1_000_000
/** Wall time minus monotonic time. */
const TRUE_US = 1_795_000_000 * S

interface Answer {
  readonly afterS: number
  /** Before and after the server wrote its `Date`. */
  readonly thereMs: number
  readonly backMs: number
}

const anAnswer: fc.Arbitrary<Answer> = fc.record({
  afterS: fc.integer({ min: 0, max: 15 * 60 - 2 }),
  thereMs: fc.integer({ min: 0, max: 1000 }),
  backMs: fc.integer({ min: 0, max: 1000 })
})

test('asked every quarter of an hour, it is right to 2 s on any crystal and any way', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: -450, max: 450 }),
      fc.nat(S),
      fc.array(anAnswer, { minLength: 2, maxLength: 60 }),
      (ppm, phaseUs, answers) => {
        const clock = new RelayClock()
        /** Monotonic time runs too fast or too slow. */
        const monoAt = (trueUs: number): number => Math.round(trueUs * (1 + ppm / 1e6))
        let trueUs = phaseUs
        const check = (): void => {
          const { offsetUs } = clock
          if (offsetUs === undefined) return
          expect(Math.abs(monoAt(trueUs) + offsetUs - (TRUE_US + trueUs))).toBeLessThanOrEqual(2 * S)
          expect(clock.isRight(monoAt(trueUs))).toBe(true)
        }
        for (const { afterS, thereMs, backMs } of answers) {
          trueUs += afterS * S
          check()
          const askedUs = monoAt(trueUs)
          trueUs += thereMs * 1000
          const dateMs = Math.floor((TRUE_US + trueUs) / S) * 1000
          trueUs += backMs * 1000
          const monoUs = monoAt(trueUs)
          check()
          clock.take(dateMs, (monoUs - askedUs) / 1000, monoUs)
          check()
        }
        expect(clock.offsetUs).toBeDefined()
        expect(clock.isWanted(monoAt(trueUs))).toBe(false)
      }
    )
  ))

test('several quick answers say it more closely than a second', () => {
  const clock = new RelayClock()
  for (let ms = 0; ms < 3000; ms += 100) {
    clock.take(Math.floor((TRUE_US + ms * 1000) / S) * 1000, 0, ms * 1000)
  }
  // Nothing else than the truth to 0.1 s is left: what says otherwise by half a second is another time.
  clock.take(Math.floor((TRUE_US + 3_000_000) / S) * 1000 + 600, 0, 3_000_000)
  expect(clock.isWanted(3_000_000)).toBe(true)
})
