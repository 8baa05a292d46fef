import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Availability, PATIENCE_US } from './availability.ts'
import { aReply, aRequest, five } from './fixtures.ts'

const s = (seconds: number): number => Math.round(seconds * 1e6)

test('replies are counted with how long they took', () => {
  const availability = new Availability()
  availability.asked(aRequest(), 0)
  for (const [index, content] of five.entries()) availability.replied(aReply(content), s(index))
  availability.settle(s(60))
  expect(availability.figures).toEqual({
    asked: 5,
    replied: 5,
    repliedUs: s(10),
    longestUs: s(4),
    stoodIn: 0,
    outages: []
  })
})

test('what is not replied to in time is missing, and an outage until the next reply', () => {
  const availability = new Availability()
  availability.asked(aRequest('centroids'), s(0))
  availability.asked(aRequest('indicators'), s(5))
  availability.stoodIn()
  availability.settle(s(12))
  expect(availability.figures).toMatchObject({ asked: 1, replied: 0, stoodIn: 1, outages: [{ fromUs: 0 }] })
  availability.settle(s(16))
  availability.asked(aRequest('indicators'), s(20))
  availability.replied(aReply('indicators'), s(21))
  availability.asked(aRequest('centroids'), s(100))
  availability.settle(s(200))
  const { asked, replied, outages } = availability.figures
  expect([asked, replied]).toEqual([4, 1])
  expect(outages).toEqual([{ fromUs: 0, toUs: s(21) }, { fromUs: s(100) }])
})

test('one reply that is missing among others is no outage', () => {
  const availability = new Availability()
  availability.asked(aRequest(), 0)
  availability.replied(aReply('student_graph'), s(0.1))
  availability.settle(s(60))
  expect(availability.figures).toMatchObject({ asked: 5, replied: 1, outages: [] })
})

test('where hearing had a gap nothing is said', () => {
  const unheard = new Availability((fromUs, toUs) => !(fromUs < s(105) && toUs > s(104)))
  unheard.asked(aRequest(), s(100))
  unheard.asked(aRequest('centroids'), s(200))
  unheard.settle(s(300))
  expect(unheard.figures).toMatchObject({ asked: 1, replied: 0, outages: [{ fromUs: s(200) }] })
  const lost = new Availability()
  lost.asked(aRequest(), 0)
  lost.forget()
  lost.settle(s(60))
  expect(lost.figures.asked).toBe(0)
})

test('whatever is said: the sums add up, and outages are in order and apart', () => {
  const step = fc.record({
    afterUs: fc.integer({ min: 0, max: 2 * PATIENCE_US }),
    user: fc.constantFrom('ann', 'bob'),
    content: fc.constantFrom(...five),
    kind: fc.constantFrom('asked', 'replied', 'settle')
  })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const availability = new Availability()
      let nowUs = 0
      let wanted = 0
      for (const { afterUs, user, content, kind } of steps) {
        nowUs += afterUs
        if (kind === 'asked') {
          availability.asked(aRequest(content, user), nowUs)
          wanted++
        } else if (kind === 'replied') availability.replied(aReply(content, user), nowUs)
        else availability.settle(nowUs)
      }
      availability.settle(nowUs + 2 * PATIENCE_US)
      const { asked, replied, repliedUs, longestUs, outages } = availability.figures
      expect(asked).toBe(wanted)
      expect(replied).toBeLessThanOrEqual(asked)
      expect(longestUs).toBeLessThanOrEqual(PATIENCE_US)
      expect(repliedUs).toBeLessThanOrEqual(replied * longestUs)
      let lastUs = Number.NEGATIVE_INFINITY
      for (const { fromUs, toUs = Number.POSITIVE_INFINITY } of outages) {
        expect(fromUs).toBeGreaterThanOrEqual(lastUs)
        expect(toUs).toBeGreaterThanOrEqual(fromUs)
        lastUs = toUs
      }
    })
  )
})
