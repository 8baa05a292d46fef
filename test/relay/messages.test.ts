import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { StreamCoverage } from '../../src/journal/reading.ts'
import { credentialsOf } from '../../src/sim/relay/join.ts'
import { messages, spinners } from '../../src/sim/students/generate.ts'
import { sleep } from '../../src/world/time.ts'
import { repeats } from '../support/scale.ts'
import { Recorder } from './rig/recorder.ts'
import { relays, world } from './rig/relays.ts'
import { type Said, Speaker } from './rig/speaker.ts'

const streams = spinners(12)
const COUNT = repeats(20_000)
/** Each stream is sent 100 messages a second: a burst that never ends, and still one that a recorder keeps up with. */
const BEAT_MS = 100
const AT_A_BEAT = 10
/** The sockets are read on a tick of 480 ms: what has come is recorded so much later at most. */
const TICK_US = 600_000
/** Wall time is known in ms. */
const GRAIN_US = 5000

/** What students would send, by stream. */
function prepared(seed: number): Map<string, string[]> {
  const texts = new Map<string, string[]>(streams.map((stream) => [stream, []]))
  for (const { stream, text } of messages({ seed, streams, count: COUNT })) texts.get(stream)!.push(text)
  return texts
}

/** Says what is left of `texts` at a pace, as long as `goOn` is true. */
async function speak(speakers: ReadonlyMap<string, Speaker>, texts: Map<string, string[]>, goOn = (): boolean => true) {
  while (goOn() && [...texts.values()].some(({ length }) => length > 0)) {
    const said = streams.map((stream) => speakers.get(stream)!.say(texts.get(stream)!.splice(0, AT_A_BEAT)))
    await Promise.all([...said, sleep(world.timers, BEAT_MS)])
  }
}

/** Heard and not heard make up the whole period. */
function expectAddsUp({ stream, fromUs, toUs, heardUs, rest }: StreamCoverage): void {
  const restUs = rest.reduce((sum, part) => sum + part.toUs - part.fromUs, 0)
  expect(heardUs + restUs, stream).toBe(toUs - fromUs)
}

describe.each(relays)('%s', (_, make) => {
  const relay = make()
  beforeAll(() => relay.start())
  afterAll(() => relay.stop())

  const join = async (): Promise<Map<string, Speaker>> =>
    new Map(await Promise.all(streams.map(async (stream) => [stream, await Speaker.join(relay, stream)] as const)))

  async function startRecorder(): Promise<Recorder> {
    const recorder = await Recorder.prepare()
    for (const stream of streams) await recorder.issue(credentialsOf(world, relay, stream))
    recorder.start()
    await recorder.untilHeard(streams)
    return recorder
  }

  test(`${COUNT} messages on twelve streams: each once, byte for byte, in order`, async () => {
    const recorder = await startRecorder()
    const speakers = await join()
    const fromUs = world.clock.wallUs()
    await speak(speakers, prepared(1))
    await sleep(world.timers, TICK_US / 1000)
    expect(await recorder.stop()).toMatchObject({ code: 0 })

    const exported = await recorder.exported(streams)
    let found = 0
    for (const stream of streams) {
      expect(exported.get(stream), stream).toEqual(speakers.get(stream)!.said.map(({ text }) => text))
      found += exported.get(stream)!.length
    }
    expect(found).toBe(COUNT)
    for (const [stream, coverage] of await recorder.coverage()) {
      expectAddsUp(coverage)
      const toUs = speakers.get(stream)!.said.at(-1)!.atUs
      const whileSpoken = coverage.rest.filter((part) => part.toUs > fromUs && part.fromUs + GRAIN_US < toUs)
      expect(whileSpoken, stream).toEqual([])
      expect(coverage.rest.every(({ kind }) => kind === 'gap')).toBe(true)
    }
    expect(await recorder.json('verify')).toMatchObject({ problems: [] })
  })

  test('the relay is stopped and started in between: what nobody heard lies in a gap, and nothing else is missing', async () => {
    const recorder = await startRecorder()
    const texts = prepared(2)
    const half = COUNT / 2 / streams.length
    const before = await join()
    await speak(before, texts, () => texts.get(streams[0]!)!.length > half)
    const stoppedUs = world.clock.wallUs()
    await relay.stop()
    await relay.start()
    const after = await join()
    let heardAgain = false
    const again = recorder.untilHeard(streams, 2).then(() => {
      heardAgain = true
    })
    // Others come back sooner, and what they say then the recorder misses.
    await speak(after, texts, () => !heardAgain)
    await again
    await speak(after, texts)
    await sleep(world.timers, TICK_US / 1000)
    expect(await recorder.stop()).toMatchObject({ code: 0 })

    const exported = await recorder.exported(streams)
    const coverage = await recorder.coverage()
    let missing = 0
    for (const stream of streams) {
      const said: Said[] = [before, after].flatMap((speakers) => speakers.get(stream)!.said)
      const kept = exported.get(stream)!
      const { rest } = coverage.get(stream)!
      expectAddsUp(coverage.get(stream)!)
      expect(rest.every(({ kind }) => kind === 'gap')).toBe(true)
      const isLost = ({ atUs }: Said): boolean =>
        rest.some(({ fromUs, toUs }) => atUs >= fromUs - GRAIN_US && atUs <= toUs + GRAIN_US)
      const there = new Set(kept)
      const lost = said.filter(({ text }) => !there.has(text))
      expect(
        lost.filter((one) => !isLost(one)),
        stream
      ).toEqual([])
      expect(kept, stream).toEqual(said.filter(({ text }) => there.has(text)).map(({ text }) => text))
      // What was passed on before the relay went is there, and it was away once.
      expect(before.get(stream)!.said.filter(({ text }) => !there.has(text))).toEqual([])
      const gaps = rest.filter(({ fromUs, toUs }) => toUs > stoppedUs && fromUs < stoppedUs + 1e6)
      expect(gaps[0]).toMatchObject({ cause: 'disconnected' })
      missing += lost.length
    }
    expect(missing).toBeGreaterThan(0)
    expect(missing).toBeLessThan(COUNT / 2)
  })
})
