import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Machine } from '../sim/world/machine.ts'
import type { Us } from '../world/time.ts'
import type { Frame } from './entry.ts'
import { aMachine, HOUR_US, openJournal, START_US } from './fixtures.ts'
import type { Journal } from './journal.ts'
import type { RangeQuery } from './reading.ts'

const S = 1_000_000

/** A Pi with a journal, and what was really the case with each frame. */
class Life {
  readonly machine: Machine
  readonly trueUs: Us[] = []
  readonly #storeBytes: number
  journal!: Journal

  constructor(seed: number, storeBytes = 256e6) {
    this.machine = aMachine(seed)
    this.#storeBytes = storeBytes
  }

  get simulation() {
    return this.machine.simulation
  }

  async open(): Promise<void> {
    const opened = openJournal(this.machine.world, { storeBytes: this.#storeBytes })
    this.journal = await this.simulation.complete(opened)
  }

  /** Switched off for a while without a word, and on again at what the clock then says. */
  async boot(offSeconds: number, wallUs: Us): Promise<void> {
    await this.simulation.complete(this.journal.commit())
    await this.simulation.run(11_000)
    this.machine.cutPower()
    await this.simulation.run(offSeconds * 1000)
    this.machine.clock.setSynchronised(false)
    this.machine.clock.setWall(wallUs)
    this.machine.boot()
    await this.open()
  }

  /** The clock is put right, and says so. */
  async synchronise(): Promise<void> {
    this.machine.clock.setWall(this.simulation.trueWallUs)
    this.machine.clock.setSynchronised(true)
    await this.simulation.run(11_000)
  }

  frame(): void {
    this.journal.hearing.frame('spin30', Buffer.from(`${this.trueUs.length}`), false)
    this.trueUs.push(this.simulation.trueWallUs)
  }

  async frames(query: RangeQuery = {}): Promise<Frame[]> {
    return this.simulation.complete(
      (async () => {
        await this.journal.commit()
        const all: Frame[] = []
        for await (const some of this.journal.range(query)) all.push(...some)
        return all
      })()
    )
  }

  /** How far the time that a range gives is from the truth. */
  offUs(frame: Frame): Us {
    return (frame.trueUs ?? frame.wallUs) - this.trueUs[Number(frame.payload)]!
  }
}

async function begun(synchronised: boolean, wallUs?: Us): Promise<Life> {
  const life = new Life(1)
  life.machine.clock.setSynchronised(synchronised)
  if (wallUs !== undefined) life.machine.clock.setWall(wallUs)
  await life.open()
  return life
}

describe('what was recorded before the clock was right', () => {
  test.each([0, START_US - 5 * HOUR_US, START_US + 5 * HOUR_US, 2 ** 31 * S])('by a clock at %d', async (wallUs) => {
    const life = await begun(false, wallUs)
    life.frame()
    await life.simulation.run(60_000)
    life.frame()
    const [early] = await life.frames()
    expect(early).toMatchObject({ wallUs, timeUncertain: true })
    await life.synchronise()
    life.frame()
    const frames = await life.frames()
    expect(frames.map(({ timeUncertain }) => timeUncertain)).toEqual([undefined, undefined, undefined])
    for (const frame of frames) expect(Math.abs(life.offUs(frame))).toBeLessThanOrEqual(2000)
    expect(frames[2]!.trueUs).toBeUndefined()
    const fromUs = START_US + 59 * S
    const numbers = async (query: RangeQuery) => (await life.frames(query)).map(({ seq }) => seq)
    expect(await numbers({ fromUs: START_US - S, toUs: fromUs })).toEqual([1])
    expect(await numbers({ fromUs })).toEqual([2, 3])
    expect(await numbers({ toUs: START_US - S })).toEqual([])
    expect(await numbers({ fromUs: wallUs, toUs: wallUs + 61 * S, recorded: true })).toEqual([1, 2])
  })

  test('is found after a restart, and in other stores', async () => {
    const life = new Life(1, 1)
    life.machine.clock.setSynchronised(false)
    life.machine.clock.setWall(0)
    await life.open()
    for (let count = 0; count < 5; count++) {
      life.frame()
      await life.simulation.complete(life.journal.commit())
      await life.simulation.run(1000)
    }
    await life.synchronise()
    await life.boot(3600, 0)
    const frames = await life.frames({ fromUs: START_US + 500_000, toUs: START_US + 3_500_000 })
    expect(frames.map(({ seq }) => seq)).toEqual([2, 3, 4])
  })
})

describe('a boot that never knew the time', () => {
  test.each([0, START_US + 100 * HOUR_US])(
    'lies between its neighbours, whatever its clock said (%d)',
    async (wallUs) => {
      const life = await begun(true)
      life.journal.hearing.added('spin30')
      life.journal.hearing.heard('spin30')
      life.frame()
      await life.simulation.run(10 * 60_000)
      life.frame()
      await life.boot(3600, wallUs)
      life.frame()
      await life.simulation.run(60_000)
      life.frame()
      await life.boot(3600, 0)
      await life.synchronise()
      life.frame()
      const frames = await life.frames()
      expect(frames.map(({ timeUncertain }) => timeUncertain ?? false)).toEqual([false, false, true, true, false])
      const times = frames.map((frame) => frame.trueUs ?? frame.wallUs)
      expect(times[2]).toBeGreaterThanOrEqual(times[1]!)
      expect(times[3]! - times[2]!).toBe(60 * S)
      expect(times[3]).toBeLessThanOrEqual(times[4]!)
    }
  )

  test('keeps its own time where that fits', async () => {
    const life = await begun(true)
    life.frame()
    await life.boot(3600, START_US + HOUR_US / 2)
    life.frame()
    await life.simulation.run(3600_000)
    await life.boot(3600, 0)
    await life.synchronise()
    const [, frame] = await life.frames()
    expect(frame).toMatchObject({ timeUncertain: true, trueUs: frame!.wallUs })
  })
})

type Step =
  | { readonly do: 'frame' | 'synchronise' | 'lose' | 'restart' }
  | { readonly do: 'wait' | 'step' | 'relay'; readonly seconds: number }
  | { readonly do: 'boot'; readonly seconds: number; readonly wallUs: Us }

const anyWall = fc.oneof(
  fc.constantFrom(0, 2 ** 31 * S, Date.UTC(2028, 1, 29, 23, 59, 50) * 1000),
  fc.integer({ min: -50, max: 50 }).map((hours) => START_US + hours * HOUR_US)
)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('frame' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 300 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('synchronise' as const, 'lose' as const, 'restart' as const) })
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('step' as const), seconds: fc.integer({ min: -9000, max: 9000 }) })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('relay' as const), seconds: fc.constant(0) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('boot' as const),
      seconds: fc.integer({ min: 1, max: 90_000 }),
      wallUs: anyWall
    })
  }
)

async function live(life: Life, steps: readonly Step[]): Promise<void> {
  const { machine, simulation } = life
  for (const step of steps) {
    if (step.do === 'frame') life.frame()
    else if (step.do === 'wait') await simulation.run(step.seconds * 1000)
    else if (step.do === 'boot') await life.boot(step.seconds, step.wallUs)
    else if (step.do === 'synchronise') await life.synchronise()
    else if (step.do === 'relay')
      life.journal.hearing.relayTime(Math.floor(simulation.trueWallUs / 1e6) * 1000, 0, true)
    else if (step.do === 'lose') {
      machine.clock.setSynchronised(false)
      await simulation.run(11_000)
    } else if (step.do === 'step') {
      // A clock that is right does not jump; one that is not may.
      if (!(await machine.clock.synchronised())) machine.clock.step(step.seconds * S)
      await simulation.run(100)
    } else {
      await simulation.complete(life.journal.close())
      machine.kill()
      machine.start()
      await life.open()
    }
  }
}

test('in any life: true times where a boot ever knew, each frame once in any periods, coverage adds up', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.nat(1000),
        drift: fc.constantFrom(0, 0, -100, 100),
        storeBytes: fc.constantFrom(4000, 256e6, 256e6),
        synchronised: fc.boolean(),
        steps: fc.array(anyStep, { maxLength: 40 }),
        cuts: fc.array(fc.integer({ min: -60, max: 400 }), { maxLength: 5 })
      }),
      async ({ seed, drift, storeBytes, synchronised, steps, cuts }) => {
        const life = new Life(seed, storeBytes)
        life.machine.clock.setSynchronised(synchronised)
        life.machine.clock.setDrift(drift)
        await life.open()
        life.journal.hearing.added('spin30')
        life.journal.hearing.heard('spin30')
        await live(life, steps)

        const frames = await life.frames()
        expect(frames.map(({ payload }) => Number(payload))).toEqual(life.trueUs.map((_, index) => index))
        const elapsedUs = life.simulation.nowUs
        const knowing = new Set(frames.filter(({ source }) => source !== 'none').map(({ boot }) => boot))
        const allowedUs = 2 * S + 100_000 + (elapsedUs * Math.abs(drift)) / 1e6
        for (const frame of frames) {
          if (frame.timeUncertain) expect(knowing.has(frame.boot)).toBe(false)
          else expect(Math.abs(life.offUs(frame))).toBeLessThanOrEqual(allowedUs)
        }

        const bounds = [...new Set(cuts)].sort((a, b) => a - b).map((hours) => START_US + hours * HOUR_US)
        const found: number[] = []
        for (let index = 0; index <= bounds.length; index++) {
          const [fromUs, toUs] = [bounds[index - 1], bounds[index]]
          const query = { ...(fromUs !== undefined && { fromUs }), ...(toUs !== undefined && { toUs }) }
          const some = await life.frames(query)
          const positions = some.map(({ position }) => position)
          expect(positions).toEqual([...positions].sort((a, b) => a - b))
          found.push(...positions)
        }
        expect(found.sort((a, b) => a - b)).toEqual(frames.map(({ position }) => position))

        for (const { fromUs, toUs, heardUs, rest } of await life.simulation.complete(life.journal.coverage())) {
          const restUs = rest.reduce((sum, part) => sum + part.toUs - part.fromUs, 0)
          expect(heardUs + restUs).toBe(toUs - fromUs)
        }
      }
    ),
    { numRuns: 200 }
  ))
