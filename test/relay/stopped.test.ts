import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Unheard } from '../../src/journal/reading.ts'
import { credentialsOf } from '../../src/sim/relay/join.ts'
import { sleep } from '../../src/world/time.ts'
import { Recorder } from './rig/recorder.ts'
import { relays, world } from './rig/relays.ts'
import { type Said, Speaker } from './rig/speaker.ts'

const STOPPED_MS = 10_000
/** Each 50 ms: 200 in the time, and more than the relay's queue of 128. */
const BEAT_MS = 50
/** Wall time is known in ms. */
const GRAIN_US = 5000

describe.each(relays)('%s', (_, make) => {
  const relay = make()
  beforeAll(() => relay.start())
  afterAll(() => relay.stop())

  test('stopped by SIGSTOP for 10 s: uncertain under load, whole where little came', async () => {
    const streams = ['busy', 'flooded', 'quiet']
    const recorder = await Recorder.prepare()
    for (const stream of streams) await recorder.issue(credentialsOf(world, relay, stream))
    recorder.start()
    await recorder.untilHeard(streams)
    const [busy, flooded, quiet] = await Promise.all(streams.map((stream) => Speaker.join(relay, stream)))
    const beforeUs = world.clock.wallUs()
    await Promise.all([busy!, flooded!, quiet!].map((speaker) => speaker.say(['{"before":"it"}'])))
    await sleep(world.timers, 1000)
    recorder.signal('SIGSTOP')
    const stoppedUs = world.clock.wallUs()
    const filler = 'x'.repeat(64_000)
    for (let n = 0; n < STOPPED_MS / BEAT_MS; n += 1) {
      await Promise.all([
        busy!.say([`{"n":${n}}`]),
        // More than the kernels between take, so that the relay drops some.
        flooded!.say(Array.from({ length: 4 }, (_, m) => `{"n":${n},"m":${m},"filler":"${filler}"}`)),
        ...(n % 20 === 0 ? [quiet!.say([`{"n":${n}}`])] : []),
        sleep(world.timers, BEAT_MS)
      ])
    }
    recorder.signal('SIGCONT')
    const goneOnUs = world.clock.wallUs()
    await Promise.all(
      ['busy', 'flooded'].map((stream) => recorder.untilLogged({ stream, msg: 'messages may be missing' }))
    )
    await sleep(world.timers, 1500)
    await Promise.all([busy!, flooded!, quiet!].map((speaker) => speaker.say(['{"after":"it"}'])))
    await sleep(world.timers, 1000)
    expect((await recorder.stop()).code).toBe(0)

    const coverage = await recorder.coverage()
    const exported = await recorder.exported(streams)
    const said = new Map(streams.map((stream, index) => [stream, [busy!, flooded!, quiet!][index]!.said]))
    const within = (stream: string): Unheard[] =>
      coverage
        .get(stream)!
        .rest.filter(({ fromUs, toUs }) => toUs > beforeUs && fromUs + GRAIN_US < said.get(stream)!.at(-1)!.atUs)
    for (const stream of ['busy', 'flooded']) {
      const [doubt, ...rest] = within(stream)
      expect(doubt, stream).toMatchObject({ kind: 'uncertain', cause: 'stalled' })
      expect(doubt!.fromUs).toBeLessThan(stoppedUs)
      expect(doubt!.toUs).toBeGreaterThan(goneOnUs)
      // A relay gives up who has not read for 10 s.
      expect(rest.map(({ cause }) => cause)).toEqual(rest.length === 0 ? [] : ['disconnected'])
    }
    expect(within('busy')).toHaveLength(1)
    expect(within('quiet')).toEqual([])
    expect(exported.get('quiet')).toEqual(said.get('quiet')!.map(({ text }) => text))
    // The doubt was right: of the flood some is missing, and nothing outside of it.
    const there = new Set(exported.get('flooded'))
    const missing = said.get('flooded')!.filter(({ text }) => !there.has(text))
    expect(missing.length).toBeGreaterThan(0)
    const isLost = ({ atUs }: Said): boolean =>
      within('flooded').some(({ fromUs, toUs }) => atUs >= fromUs && atUs <= toUs + GRAIN_US)
    expect(missing.filter((one) => !isLost(one))).toEqual([])
    expect(await recorder.json('verify')).toMatchObject({ problems: [] })
  })
})
