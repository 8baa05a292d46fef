import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Simulation } from '../sim/world/simulation.ts'
import { HealthMemory } from './memory.ts'
import type { JournalFacts, StreamFacts } from './rooms.ts'

const journal = { open: true, pendingBytes: 0, pendingMs: 0, nowUs: 5_000_000, source: 'ntp', damaged: [] } as const
const facts: StreamFacts = { stream: 'spin30', heard: true, sinceUs: 0, frames: 0, spoke: false }

function setUp(): { simulation: Simulation; open: () => Promise<HealthMemory> } {
  const simulation = new Simulation(1)
  const pi = simulation.machine('pi')
  return { simulation, open: () => simulation.complete(HealthMemory.open(pi.world, '/', undefined)) }
}

test('since when there is a stream is kept, also where only others are there now', async () => {
  const { simulation, open } = setUp()
  const memory = await open()
  memory.take([facts], journal)
  await simulation.complete(memory.save())
  memory.take([{ ...facts, frames: 1 }], { ...journal, nowUs: 9_000_000 })
  await simulation.complete(memory.save())
  const again = await open()
  expect(again.of('spin30')).toEqual({ addedMs: 5000, spoke: true })
  again.take([{ ...facts, stream: 'spin31' }], journal)
  expect(again.of('spin30')).toEqual({ addedMs: 5000, spoke: true })
})

test('a day that is only guessed is not noted', async () => {
  const { open } = setUp()
  const memory = await open()
  memory.take([facts], { ...journal, source: 'none' } as JournalFacts)
  expect(memory.of('spin30')).toEqual({ spoke: false })
  memory.take([facts], journal)
  expect(memory.of('spin30')).toEqual({ addedMs: 5000, spoke: false })
})

test('what a newer release has written is kept beside', async () => {
  const { simulation, open } = setUp()
  const { files } = simulation.machine('pi').world
  const newer = '{"format":2,"streams":[]}'
  for (const kept of ['/health.json.newer', '/health.json.newer-2']) {
    await simulation.complete(files.writeFile('/health.json', newer))
    const memory = await open()
    memory.take([facts], journal)
    await simulation.complete(memory.save())
    expect((await simulation.complete(files.readFile(kept))).toString()).toBe(newer)
    expect((await open()).of('spin30')).toEqual({ addedMs: 5000, spoke: false })
  }
})

test('without room it is written once there is some', async () => {
  const { simulation, open } = setUp()
  const pi = simulation.machine('pi')
  const memory = await open()
  memory.take([facts], journal)
  pi.disk.readOnly = true
  await simulation.complete(memory.save())
  expect((await open()).of('spin30')).toBeUndefined()
  pi.disk.readOnly = false
  await simulation.complete(memory.save())
  expect((await open()).of('spin30')).toBeDefined()
})

test('whatever stands in the file, it is opened, and written anew', async () => {
  const { simulation, open } = setUp()
  const { files } = simulation.machine('pi').world
  const stream = fc.record({ addedMs: fc.oneof(fc.string(), fc.double(), fc.boolean()), spoke: fc.anything() })
  const streams = fc.oneof(fc.anything(), fc.record({ spin30: fc.oneof(stream, fc.anything()) }))
  const kept = fc.record({ format: fc.constant(1), boot: fc.string(), ended: fc.anything(), streams })
  const content = fc.oneof(
    fc.string(),
    fc.json(),
    kept.map((value) => JSON.stringify(value) ?? '')
  )
  await fc.assert(
    fc.asyncProperty(content, async (text) => {
      await simulation.complete(files.writeFile('/health.json', text))
      const memory = await open()
      memory.take([facts], journal)
      expect(memory.of('spin30')).toEqual({ addedMs: expect.any(Number), spoke: expect.any(Boolean) })
      await simulation.complete(memory.save())
      expect((await open()).of('spin30')).toEqual(memory.of('spin30'))
    })
  )
})
