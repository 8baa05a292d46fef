import { expect, test } from 'vitest'
import { daily, HOUR_MS, Lab } from './fixtures.ts'

const hourly = { ...daily, name: 'hourly', schedule: '0 * * * *', durationMs: HOUR_MS }

/** A Pi with a stream that is heard as long as it runs, although hardly a message comes. */
class QuietLab extends Lab {
  override async start(): Promise<void> {
    await super.start()
    const { hearing } = this.journal
    hearing.added('spin30')
    hearing.heard('spin30')
    this.machine.world.timers.every(50_000, () => hearing.proof('spin30'))
  }

  /** Dies, and goes on when the clock has been set forward: the windows up to there are sealed, as not heard. */
  async sealEarly(): Promise<void> {
    this.machine.kill()
    this.machine.clock.step(3 * HOUR_MS * 1000)
    this.machine.start()
    await this.start()
    await this.simulation.run(HOUR_MS / 10)
  }

  /** The power fails, and the clock begins anew in 1970. */
  async forgetTime(): Promise<void> {
    this.machine.cutPower()
    this.machine.boot()
    this.machine.clock.setWall(1_000_000)
    this.machine.clock.setSynchronised(false)
    await this.start()
  }

  learnTime(): void {
    this.machine.clock.setWall(this.simulation.trueWallUs)
    this.machine.clock.setSynchronised(true)
  }

  /** By window: what the last folder of it says was heard, and what the journal says now, in s. */
  async heard(): Promise<Map<string, { said: number; now: number }>> {
    const heard = new Map<string, { said: number; now: number }>()
    for (const { folder, manifest } of await this.sealed()) {
      const { window, supplements, streams } = manifest
      if (!window) continue
      const { fromUs, toUs } = window
      const [now] = await this.do(this.journal.coverage({ streams: ['spin30'], fromUs, toUs }))
      const said = streams[0]?.coverage.heardUs ?? Number.NaN
      heard.set(supplements ?? folder, { said: said / 1e6, now: now!.heardUs / 1e6 })
    }
    return heard
  }
}

test.each([
  { unknownHours: 5, what: 'soon' },
  { unknownHours: 50, what: 'after it was sealed without the time' }
])('windows sealed by a clock that was ahead get what a boot heard that learnt the time $what', async (life) => {
  const lab = new QuietLab([hourly])
  await lab.start()
  await lab.live(4.2, HOUR_MS / 5)
  await lab.sealEarly()
  expect((await lab.heard()).get('2026-11-02T1300')).toEqual({ said: 0, now: 0 })
  await lab.forgetTime()
  await lab.simulation.run(life.unknownHours * HOUR_MS)
  lab.learnTime()
  await lab.simulation.run(2 * HOUR_MS)
  const heard = await lab.heard()
  expect(heard.get('2026-11-02T1300')).toEqual({ said: 3600, now: 3600 })
  for (const [window, { said, now }] of heard) expect([window, said]).toEqual([window, now])
  // It is said once.
  const folders = await lab.folders()
  await lab.stop()
  await lab.start()
  await lab.simulation.run(HOUR_MS / 4)
  expect(await lab.folders()).toEqual(folders)
})

test('windows that a clock that is set forward leaves behind it are sealed when the stream has proved that it was heard', async () => {
  const lab = new QuietLab([hourly])
  await lab.start()
  await lab.live(4, HOUR_MS / 5)
  // The minute ends before the next proof.
  await lab.simulation.run(10 * 60_000 + 55_000)
  lab.machine.clock.step(3 * HOUR_MS * 1000)
  await lab.simulation.run(2 * 60_000)
  expect(await lab.folders()).toContain('hourly/2026-11-02T1400')
  const heard = await lab.heard()
  expect(heard.get('2026-11-02T1200')).toEqual({ said: 3600, now: 3600 })
  for (const [window, { said, now }] of heard) expect([window, said]).toEqual([window, now])
})
