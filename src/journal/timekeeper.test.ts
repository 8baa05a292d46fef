import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { aMachine } from './fixtures.ts'
import type { KnownTime } from './known-time.ts'
import { Timekeeper } from './timekeeper.ts'

const S = 1_000_000

async function keeper(options: { trusted?: boolean; synchronised?: boolean } = {}) {
  const machine = aMachine()
  machine.clock.setSynchronised(options.synchronised ?? true)
  const steps: number[] = []
  const time = new Timekeeper(machine.world, { trusted: options.trusted ?? false })
  time.changed = (us) => steps.push(us)
  await time.start()
  return { machine, steps, time }
}

function off(machine: Machine, time: Timekeeper): number {
  return time.stamp().wallUs - machine.simulation.trueWallUs
}

test('stamps by the clock, with boot and monotonic time', async () => {
  const { machine, steps, time } = await keeper()
  await machine.simulation.run(1234)
  const stamp = time.stamp()
  const { clock } = machine
  expect(stamp).toEqual({ wallUs: clock.wallUs(), monoUs: clock.monoUs(), boot: clock.boot, source: 'ntp' })
  expect(steps).toEqual([])
})

test.each([
  { synchronised: true, trusted: false, source: 'ntp' },
  { synchronised: true, trusted: true, source: 'ntp' },
  { synchronised: false, trusted: true, source: 'trusted' },
  { synchronised: false, trusted: false, source: 'none' }
])('synchronised $synchronised, trusted $trusted: $source', async ({ source, ...options }) => {
  const { time } = await keeper(options)
  expect(time.stamp().source).toBe(source)
})

test.each([3600 * S, -3600 * S, 150_000, -150_000])('a step of %d µs is followed and told once', async (stepUs) => {
  const { machine, steps, time } = await keeper()
  machine.clock.step(stepUs)
  await machine.simulation.run(60)
  expect(off(machine, time)).toBe(stepUs)
  await machine.simulation.run(60_000)
  time.stamp()
  expect(steps).toEqual([stepUs])
})

test('less than 2 ms is the grain of the clock, less than 100 ms is followed without a word', async () => {
  const { machine, steps, time } = await keeper()
  machine.clock.step(1500)
  await machine.simulation.run(100)
  expect(off(machine, time)).toBe(0)
  machine.clock.step(50_000)
  await machine.simulation.run(100)
  expect(off(machine, time)).toBe(51_500)
  expect(steps).toEqual([])
})

test('slow slewing is told whenever it has come to 100 ms', async () => {
  const { machine, steps, time } = await keeper()
  for (let ms = 0; ms < 350; ms++) {
    machine.clock.step(1000)
    await machine.simulation.run(1000)
    time.stamp()
  }
  expect(steps.length).toBe(3)
  for (const step of steps) expect(step).toBeCloseTo(101_000, -4)
})

test('becoming synchronised is told, with the step that came with it, and so is losing it', async () => {
  const { machine, steps, time } = await keeper({ synchronised: false })
  machine.clock.step(40 * S)
  machine.clock.setSynchronised(true)
  await machine.simulation.run(11_000)
  expect(time.stamp().source).toBe('ntp')
  expect(off(machine, time)).toBe(40 * S)
  expect(steps.reduce((sum, step) => sum + step, 0)).toBe(40 * S)
  const before = steps.length
  machine.clock.setSynchronised(false)
  await machine.simulation.run(11_000)
  expect(time.stamp().source).toBe('none')
  expect(steps.length).toBe(before + 1)
})

test('the time of the relay serves where nothing better is known, once two answers agree', async () => {
  const { machine, steps, time } = await keeper({ synchronised: false })
  machine.clock.setWall(0)
  await machine.simulation.run(100)
  answer(machine, time)
  expect(time.stamp().source).toBe('none')
  expect(time.wantsRelayTime).toBe(true)
  answer(machine, time)
  expect(time.stamp().source).toBe('relay')
  expect(time.wantsRelayTime).toBe(false)
  expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(S)
  // Later answers are as coarse: they don't make the time jump to and fro.
  const { length } = steps
  for (let more = 0; more < 20; more++) {
    await machine.simulation.run(700)
    answer(machine, time)
    time.stamp()
  }
  expect(steps.length).toBe(length)
  expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(S)
})

test('what the relay said a long time ago is not held to be right, and no other time takes its place', async () => {
  const { machine, time } = await keeper({ synchronised: false })
  machine.clock.setWall(0)
  twice(machine, time)
  await machine.simulation.run(7 * 3_600_000)
  expect(time.wantsRelayTime).toBe(true)
  expect(time.stamp().source).toBe('relay')
  await machine.simulation.run(2 * 3_600_000)
  expect(time.stamp().source).toBe('none')
  expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(S)
  answer(machine, time)
  expect(time.stamp().source).toBe('relay')
})

test('a relay that contradicts a clock that was right in this boot is not believed', async () => {
  const { machine, steps, time } = await keeper()
  const year = 365 * 86_400 * S
  const later = async (known: KnownTime): Promise<Timekeeper> => {
    const process = new Timekeeper(machine.world, { trusted: false, known })
    await process.start()
    return process
  }
  await machine.simulation.run(20_000)
  machine.clock.setSynchronised(false)
  await machine.simulation.run(20_000)
  steps.length = 0
  const { boot } = machine.clock
  for (const one of [time, await later({ boot, clockKnown: true })]) {
    for (const offUs of [5 * year, -5 * year, 60 * S]) {
      for (let minute = 0; minute < 30; minute++) {
        answer(machine, one, offUs)
        await machine.simulation.run(60_000)
      }
      expect(one.stamp().source).toBe('none')
      expect(off(machine, one)).toBe(0)
    }
    twice(machine, one)
    expect(one.stamp().source).toBe('relay')
  }
  expect(steps.filter((step) => Math.abs(step) > S)).toEqual([])
  const elsewhere = await later({ boot: 'another', clockKnown: true })
  twice(machine, elsewhere, 5 * year)
  expect(elsewhere.stamp().source).toBe('relay')
})

test('while nothing says what time it is, it is not before the last that is certain', async () => {
  const { machine } = await keeper({ synchronised: false })
  machine.clock.setWall(0)
  const certainUs = machine.simulation.trueWallUs - 3600 * S
  const time = new Timekeeper(machine.world, { trusted: false, known: { boot: 'before', certainUs } })
  await time.start()
  expect(time.stamp()).toMatchObject({ wallUs: certainUs, source: 'none' })
  await machine.simulation.run(5000)
  expect(time.stamp().wallUs).toBe(certainUs + 5 * S)
  // A clock that is set to later than that is followed, to earlier is not.
  machine.clock.setWall(certainUs + 60 * S)
  await machine.simulation.run(100)
  expect(time.stamp().wallUs).toBe(certainUs + 60 * S + 100_000)
  machine.clock.setWall(certainUs - 60 * S)
  await machine.simulation.run(100)
  expect(time.stamp().wallUs).toBe(certainUs + 5 * S + 200_000)
  // One that is right may be before it: what is on record was wrong then.
  machine.clock.setSynchronised(true)
  await machine.simulation.run(10_000)
  expect(time.stamp()).toMatchObject({ wallUs: machine.clock.wallUs(), source: 'ntp' })
})

test('the relay does not overrule a synchronised clock, nor a trusted one', async () => {
  for (const options of [{ synchronised: true }, { synchronised: false, trusted: true }]) {
    const { machine, steps, time } = await keeper(options)
    twice(machine, time, 86_400 * S)
    await machine.simulation.run(20_000)
    expect(off(machine, time)).toBe(0)
    expect(steps).toEqual([])
  }
})

/** The relay answers at once, its clock off by this much. */
function answer(machine: Machine, time: Timekeeper, offUs = 0): void {
  time.relayTime(Math.floor((machine.simulation.trueWallUs + offUs) / 1e6) * 1000, 0)
}

function twice(machine: Machine, time: Timekeeper, offUs = 0): void {
  for (let n = 0; n < 2; n++) answer(machine, time, offUs)
}

test.each([1970, 2000, 2028, 2038, 2100])('a clock that begins at %d is put right by the relay', async (year) => {
  const { machine, steps, time } = await keeper({ synchronised: false })
  machine.clock.setWall(Date.UTC(year, 1, 28, 23, 59, 59) * 1000)
  await machine.simulation.run(100)
  twice(machine, time)
  expect(time.stamp().source).toBe('relay')
  expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(S)
  expect(steps.reduce((sum, step) => sum + step, 0)).toBe(off(machine, time))
  // The system's clock may do what it likes.
  const { length } = steps
  for (const hours of [3, -9, 100]) {
    machine.clock.step(hours * 3600 * S)
    await machine.simulation.run(1000)
    expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(S)
  }
  expect(steps.length).toBe(length)
})

test.each([
  ['the last second of February 2028', Date.UTC(2028, 1, 29, 23, 59, 58)],
  ['the last second that 31 bits count', (2 ** 31 - 2) * 1000],
  ['1 March 2100, which had no leap day before', Date.UTC(2100, 1, 28, 23, 59, 58)]
])('%s passes like any other', async (_, startMs) => {
  const machine = new Simulation(1, { startWallUs: startMs * 1000 }).machine('pi')
  machine.clock.setSynchronised(false)
  machine.clock.setWall(0)
  const steps: number[] = []
  const time = new Timekeeper(machine.world, { trusted: false })
  time.changed = (us) => steps.push(us)
  await time.start()
  for (let second = 0; second < 10; second++) {
    twice(machine, time)
    expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(2 * S)
    await machine.simulation.run(1000)
  }
  expect(steps.length).toBe(1)
})

test('another time counts once all answers of ten minutes have said it, and that is told', async () => {
  const { machine, steps, time } = await keeper({ synchronised: false })
  twice(machine, time)
  await machine.simulation.run(1000)
  const { length } = steps
  for (const hours of [5, 0, -7, 12, 12, 0, 30, -30, 0]) {
    answer(machine, time, hours * 3600 * S)
    await machine.simulation.run(1000)
    expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(S)
  }
  for (let minute = 0; minute < 10; minute++) {
    answer(machine, time, 3600 * S)
    expect(time.wantsRelayTime).toBe(true)
    await machine.simulation.run(60_000)
    expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(S)
  }
  expect(steps.length).toBe(length)
  answer(machine, time, 3600 * S)
  expect(Math.abs(off(machine, time) - 3600 * S)).toBeLessThanOrEqual(S)
  expect(steps.length).toBe(length + 1)
  expect(steps.at(-1)! / S).toBeCloseTo(3600, -1)
})

test('whatever the relay says, no time jumps by more than 100 ms without being told', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: -5, max: 5 }), fc.nat(3), fc.nat(9))), async (said) => {
      const { machine, steps, time } = await keeper({ synchronised: false })
      let last = off(machine, time)
      for (const [off0, power, seconds] of said) {
        twice(machine, time, off0 * 60 ** power * S)
        await machine.simulation.run(seconds * 1000)
        const { length } = steps
        const told = steps.splice(0, length).reduce((sum, step) => sum + step, 0)
        const now = off(machine, time)
        expect(Math.abs(now - last - told)).toBeLessThanOrEqual(100_000)
        last = now
      }
    }),
    { numRuns: 50 }
  ))

test('a time before what is on record, or before this release, is not believed', async () => {
  const { machine } = await keeper({ synchronised: false })
  const { boot } = machine.clock
  const nowMs = machine.simulation.trueWallUs / 1000
  const at = async (dateMs: number, certainMs?: number): Promise<string> => {
    const certainUs = certainMs === undefined ? undefined : certainMs * 1000
    const time = new Timekeeper(machine.world, { trusted: false, known: { boot, certainUs } })
    await time.start()
    time.relayTime(dateMs, 0)
    time.relayTime(dateMs, 0)
    return time.stamp().source
  }
  expect(await at(nowMs)).toBe('relay')
  expect(await at(Date.UTC(2026, 9, 31))).toBe('none')
  expect(await at(nowMs, nowMs + 3_000_000)).toBe('relay')
  expect(await at(nowMs, nowMs + 86_400_000)).toBe('none')
})

test('a crystal that drifts is kept within 2 s', async () => {
  const { machine, time } = await keeper({ synchronised: false })
  machine.clock.setDrift(100)
  twice(machine, time)
  for (let hour = 0; hour < 72; hour++) {
    answer(machine, time)
    expect(Math.abs(off(machine, time))).toBeLessThanOrEqual(2 * S)
    await machine.simulation.run(3_600_000)
  }
})

test('once the clock is synchronised, it takes the place of the relay', async () => {
  const { machine, time } = await keeper({ synchronised: false })
  twice(machine, time, 86_400 * S)
  expect(time.stamp().source).toBe('relay')
  machine.clock.setSynchronised(true)
  await machine.simulation.run(11_000)
  expect(time.stamp().source).toBe('ntp')
  expect(off(machine, time)).toBe(0)
})

test('after the end nothing is asked or told', async () => {
  const { machine, steps, time } = await keeper()
  time.stop()
  machine.clock.setSynchronised(false)
  await machine.simulation.run(60_000)
  expect(steps).toEqual([])
})
