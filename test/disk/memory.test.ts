import { beforeAll, expect, test } from 'vitest'
import { loadCommands } from '../../src/cli/program.ts'
import { openSnapshot } from '../../src/journal/snapshot.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { Simulation } from '../../src/sim/world/simulation.ts'
import type { Us } from '../../src/world/time.ts'
import { Running } from '../support/shell.ts'

const streams = ['spin30', 'spin31', 'spin32']
const PERIOD_MS = 50
const PAD = 'x'.repeat(20_000)
const STALL_MS = 60_000
/** On the way. */
const LATENCY_US = 5_000
/** Before it drops anything the relay fills its queue for us and what the kernels buffer; this much is not known from here. */
const QUEUED_US = (128 + 20) * PERIOD_MS * 1000

const config = `
[streams]
credentials = "/credentials"
[journal]
memory = "16MB"
[clock]
trust = true
[data]
directory = "/data"
`

// Loading code takes real time, which does not pass in a simulation.
beforeAll(() => loadCommands())

/*
 * In simulated time, where everything that was sent is known to the microsecond. A relay that cannot write to us for 10 s
 * ends the connection, so this is both: messages that it dropped, and such as were on their way.
 */
test('more comes than memory may hold while the disk stands still: what was not taken is uncertain or a gap', async () => {
  const simulation = new Simulation(1)
  simulation.network.bufferBytes = 80_000
  simulation.network.latencyUs = [LATENCY_US, LATENCY_US]
  const relayWorld = simulation.machine('relay').world
  const relay = new SimulatedRelay(relayWorld, { secret: 'of the relay', host: 'relay' })
  await simulation.complete(relay.start())
  const pi = simulation.machine('pi')
  const { files } = pi.world
  await files.makeDirectory('/credentials')
  await files.writeFile('/config.toml', config)
  for (const stream of streams) {
    const { accessFile, tokenFile } = relay.credentials(stream)
    for (const { name, content } of [accessFile, tokenFile]) await files.writeFile(`/credentials/${name}`, content)
  }
  const recorder = new Running(pi, 'run --config /config.toml')
  await simulation.run(10_000)

  const sent = new Map<string, Us[]>(streams.map((stream) => [stream, []]))
  const speaking = relayWorld.timers.every(PERIOD_MS, () => {
    for (const stream of streams) {
      const times = sent.get(stream)!
      relay.say(stream, JSON.stringify({ number: times.length, pad: PAD }))
      times.push(simulation.trueWallUs)
    }
  })
  await simulation.run(5_000)
  const pace = pi.disk.pace
  pi.disk.pace = { ...pace, syncUs: [STALL_MS * 1000, STALL_MS * 1000] }
  await simulation.run(STALL_MS / 2)
  pi.disk.pace = pace
  await simulation.run(STALL_MS)
  speaking.cancel()
  await simulation.run(10_000)
  recorder.stop()
  expect(await simulation.complete(recorder.result)).toMatchObject({ code: 0, err: '' })

  const journal = await simulation.complete(openSnapshot(pi.start(), '/data'))
  expect((await simulation.complete(journal.verify(), 600_000)).problems).toEqual([])
  for (const stream of streams) {
    const kept: number[] = []
    for await (const frames of journal.range({ streams: new Set([stream]) })) {
      for (const { payload } of frames) {
        for (const [, number] of payload.toString().matchAll(/"number":(\d+),/g)) kept.push(Number(number))
      }
    }
    const times = sent.get(stream)!
    expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b))
    const taken = new Set(kept)
    const lost = times.filter((_, number) => !taken.has(number))
    expect(lost.length).toBeGreaterThan(100)
    expect(relay.counts(stream).dropped).toBeGreaterThan(100)
    const [coverage] = await journal.coverage({ streams: [stream], fromUs: times[0]!, toUs: times.at(-1)! })
    const { rest } = coverage!
    for (const sentUs of lost) {
      const told = rest.some(({ fromUs, toUs }) => fromUs <= sentUs + LATENCY_US && sentUs <= toUs)
      expect(told, `${stream}: lost, and said to be heard`).toBe(true)
    }
    expect(rest[0]).toMatchObject({ kind: 'uncertain', cause: 'memory full' })
    expect(rest[0]!.fromUs).toBeGreaterThan(lost[0]! - QUEUED_US)
    expect(rest.at(-1)!.toUs).toBeLessThan(lost.at(-1)! + QUEUED_US)
  }
  await journal.close()
})
