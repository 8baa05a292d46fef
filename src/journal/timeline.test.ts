import { expect, test } from 'vitest'
import type { TimeSource } from './entry.ts'
import { Timeline } from './timeline.ts'

const HOUR = 3600

function clock(boot: string, position: number, monoUs: number, wallUs: number, source: TimeSource) {
  return { boot, position, monoUs, wallUs, source, event: { event: 'clock', steppedUs: 0 } } as const
}

/** Stamps as [monotonic, wall, source], in seconds for short. */
function timeline(...stamps: Array<[number, number, TimeSource]>): Timeline {
  const made = new Timeline()
  stamps.forEach(([monoUs, wallUs, source], index) => {
    made.learn(clock('b', index + 1, monoUs, wallUs, source))
  })
  return made
}

test('wall time is monotonic time plus what the last stamp before says', () => {
  const made = timeline([10, 1010, 'ntp'], [20, 1025, 'ntp'])
  expect([10, 19, 20, 30].map((monoUs) => made.wallUs('b', monoUs))).toEqual([1010, 1019, 1025, 1035])
})

test('before the first stamp the first one counts', () => {
  expect(timeline([10, 1010, 'ntp']).wallUs('b', 4)).toBe(1004)
})

test('once it was synchronised, what the clock said before is corrected', () => {
  const made = timeline([10, 15, 'none'], [20, 25, 'none'], [30, 1030, 'relay'], [40, 1040, 'ntp'])
  expect([10, 25, 35].map((monoUs) => made.wallUs('b', monoUs))).toEqual([1010, 1025, 1035])
  expect(made.stretches('b', 10, 35)).toEqual([{ fromUs: 1010, toUs: 1035 }])
})

test('what the clock says after it has lost its synchronisation does not count', () => {
  const made = timeline([10, 1010, 'ntp'], [20, 20, 'none'])
  expect(made.wallUs('b', 30)).toBe(1030)
})

test('a boot that never was synchronised goes by what its own clock said last', () => {
  const made = timeline([10, 15, 'none'], [20, 125, 'none'])
  expect([12, 22].map((monoUs) => made.wallUs('b', monoUs))).toEqual([117, 127])
})

test('boots have times of their own', () => {
  const made = timeline([10, 1010, 'ntp'])
  made.learn(clock('c', 2, 10, 5010, 'none'))
  expect([made.wallUs('b', 11), made.wallUs('c', 11)]).toEqual([1011, 5011])
})

test('a step forward leaves no hole in a stretch', () => {
  const made = timeline([0, 1000, 'trusted'], [10, 1010 + HOUR, 'ntp'])
  expect(made.stretches('b', 5, 15)).toEqual([
    { fromUs: 1005, toUs: 1010 + HOUR },
    { fromUs: 1010 + HOUR, toUs: 1015 + HOUR }
  ])
})

test('a stretch that ends at a step forward ends where the next one begins', () => {
  const made = timeline([0, 1000, 'ntp'], [10, 1010 + HOUR, 'ntp'])
  expect(made.stretches('b', 5, 10).at(-1)!.toUs).toBe(made.wallUs('b', 10))
})

test('after a step back a stretch covers the same wall time twice', () => {
  const made = timeline([0, 1000, 'ntp'], [10, 910, 'ntp'])
  expect(made.stretches('b', 5, 15)).toEqual([
    { fromUs: 1005, toUs: 1010 },
    { fromUs: 910, toUs: 915 }
  ])
})

test('many stamps that say the same make one stretch', () => {
  const made = timeline(...Array.from({ length: 1000 }, (_, i): [number, number, TimeSource] => [i, i + 50, 'ntp']))
  expect(made.stretches('b', 0, 1000)).toEqual([{ fromUs: 50, toUs: 1050 }])
})

test('what was recorded before a boot knew the time is told with the time that it has by now', () => {
  const made = timeline([10, 1010, 'ntp'], [20, 20, 'none'], [30, 1030, 'ntp'])
  made.learn(clock('c', 4, 5, 5, 'none'))
  made.learn(clock('c', 5, 15, 15, 'none'))
  expect(made.knownLate(0)).toEqual([])
  made.learn(clock('c', 6, 25, 2025, 'ntp'))
  expect([0, 6, 7].map((from) => made.knownLate(from))).toEqual([
    [{ to: 6, fromUs: 2005 }],
    [{ to: 6, fromUs: 2005 }],
    []
  ])
})
