import { beforeEach, expect, test } from 'vitest'
import { frame, MemoryJournal } from '../../test/support/memory-journal.ts'
import { NOW_MS, stream } from '../health/fixtures.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { Activity, BIN_MS } from './activity.ts'
import { FakeRecorder } from './fixtures.ts'
import type { JournalView } from './sources.ts'

const DAY_MS = 86_400_000

let simulation: Simulation
let recorder: FakeRecorder
let activity: Activity

beforeEach(() => {
  simulation = new Simulation(1)
  recorder = new FakeRecorder({ streams: [stream({ frames: 0 })] })
  activity = new Activity(simulation.machine('pi').world.timers, recorder.report)
})

function come(frames: number, atMs = NOW_MS): void {
  recorder.current = { ...recorder.current, nowMs: atMs, streams: [stream({ frames })] }
  activity.look()
}

test('what comes is counted in its quarter of an hour', () => {
  come(3)
  come(5, NOW_MS + 1)
  come(6, NOW_MS + BIN_MS)
  expect(activity.counts('spin30', NOW_MS - BIN_MS, NOW_MS + 2 * BIN_MS)).toEqual([0, 5, 1])
  expect(activity.total('spin30', NOW_MS, NOW_MS + DAY_MS)).toBe(6)
  expect(activity.counts('none', NOW_MS, NOW_MS + BIN_MS)).toEqual([0])
})

test('a stream that was taken away and came back is counted on', () => {
  come(3)
  come(2)
  expect(activity.total('spin30', NOW_MS, NOW_MS + BIN_MS)).toBe(5)
})

test('what is older than a day is forgotten', () => {
  come(3)
  come(4, NOW_MS + 2 * DAY_MS)
  expect(activity.total('spin30', NOW_MS, NOW_MS + 3 * DAY_MS)).toBe(1)
})

test('what was recorded before the start is counted afterwards, by its true time, and imports are not', async () => {
  const at = (ms: number, fields: object = {}) => ({ ...frame({ wallUs: ms * 1000, ...fields }) })
  const hours = [-30, -20, -20, -1].map((hour) => at(NOW_MS + hour * 3_600_000))
  const trueUs = (NOW_MS - 2 * 3_600_000) * 1000
  const journal = new MemoryJournal([...hours, at(NOW_MS, { trueUs }), at(NOW_MS - 1, { origin: 'import' })])
  const view = { nextPosition: journal.nextPosition, range: journal.range.bind(journal) } as Partial<JournalView>
  await simulation.complete(activity.start(view as JournalView))
  come(1)
  const hourly = [-30, -20, -2, -1, 0].map((hour) =>
    activity.total('spin30', NOW_MS + hour * 3_600_000, NOW_MS + hour * 3_600_000 + BIN_MS)
  )
  expect(hourly).toEqual([0, 2, 1, 1, 1])
})

test('a journal that cannot be read hinders nothing', async () => {
  const range: JournalView['range'] = () => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('damaged')) })
  })
  await simulation.complete(activity.start({ ...recorder.journal(), range }))
  come(1)
  expect(activity.total('spin30', NOW_MS, NOW_MS + BIN_MS)).toBe(1)
})
