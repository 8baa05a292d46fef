import { expect, test } from 'vitest'
import type { Dice } from '../sim/world/dice.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { Us } from '../world/time.ts'
import { openJournal } from './fixtures.ts'
import type { Journal } from './journal.ts'

const streams = ['spin30', 'spin31', 'pvna02']
const none = { changeUs: [0, 0], syncUs: [0, 0] } as const

interface Appended {
  readonly text: string
  /** Right as long as the clock has not stepped. */
  readonly wallUs: Us
}

/** What a journal should hold, by stream: the payloads in order, and how many of them were acknowledged. */
class Model {
  readonly appended = new Map<string, Appended[]>(streams.map((stream) => [stream, []]))
  /** The first of each stream that were lost with the last end. */
  readonly lost = new Map<string, Appended>()
  readonly acknowledged = new Map<string, number>(streams.map((stream) => [stream, 0]))

  watch(journal: Journal): void {
    journal.onCommit((lastSeqs) => {
      for (const [stream, seq] of lastSeqs) this.acknowledged.set(stream, seq)
    })
  }

  /** Everything acknowledged is there, and what else is there was appended, in order, with numbers without holes. */
  async compare(journal: Journal): Promise<void> {
    const found = new Map<string, string[]>(streams.map((stream) => [stream, []]))
    const cursor = journal.cursor()
    let position = 1
    for (let entries = await cursor.next(5000); entries.length > 0; entries = await cursor.next(5000)) {
      for (const entry of entries) {
        expect(entry.position).toBe(position++)
        if (entry.kind !== 'frame') continue
        const texts = found.get(entry.stream)!
        texts.push(entry.payload.toString('latin1'))
        expect(entry.seq).toBe(texts.length)
      }
    }
    for (const [stream, texts] of found) {
      const appended = this.appended.get(stream)!
      expect(texts.length).toBeGreaterThanOrEqual(this.acknowledged.get(stream)!)
      expect(texts).toEqual(appended.slice(0, texts.length).map(({ text }) => text))
      const [lost] = appended.splice(texts.length)
      if (lost) this.lost.set(stream, lost)
      else this.lost.delete(stream)
    }
  }

  /** Where a frame was lost, the stream was not heard any more. */
  async expectGaps(journal: Journal): Promise<void> {
    for (const [stream, { wallUs }] of this.lost) {
      const [coverage] = await journal.coverage({ streams: [stream], fromUs: wallUs + 5000, toUs: wallUs + 6000 })
      expect(coverage!.heardUs).toBe(0)
    }
  }
}

function step(machine: Machine, journal: Journal, model: Model, dice: Dice): void {
  const stream = streams[dice.int(0, streams.length - 1)]!
  const { hearing } = journal
  const what = dice.int(0, 7)
  if (what === 0) hearing.heard(stream)
  else if (what === 1) hearing.lost(stream, dice.chance(0.5) ? 'silent' : 'disconnected')
  else if (what === 2) hearing.proof(stream)
  else if (what === 3) {
    const nowUs = machine.clock.monoUs()
    hearing.uncertain(stream, nowUs - dice.int(0, 5_000_000), nowUs, 'stalled')
  } else if (what === 4) void journal.commit()
  else {
    const payload = dice.bytes(dice.chance(0.05) ? 100_000 : dice.int(0, 400))
    model.appended.get(stream)!.push({ text: payload.toString('latin1'), wallUs: machine.clock.wallUs() })
    hearing.frame(stream, payload, dice.chance(0.5))
  }
}

async function expectSound(journal: Journal): Promise<void> {
  expect((await journal.verify()).problems).toEqual([])
  for (const { fromUs, toUs, heardUs, rest } of await journal.coverage()) {
    expect(rest.reduce((sum, part) => sum + part.toUs - part.fromUs, heardUs)).toBe(toUs - fromUs)
  }
}

/** Opens, checks, lets things happen, and ends in some way; several times over. */
async function live(seed: number): Promise<void> {
  const simulation = new Simulation(seed)
  const { dice } = simulation
  const machine = simulation.machine('pi')
  const model = new Model()
  const steady = dice.chance(0.5)
  for (let life = dice.int(2, 6); life > 0; life--) {
    machine.disk.pace = none
    const opening = openJournal(machine.world, { storeBytes: dice.chance(0.5) ? 3000 : 256e6, reserveBytes: 10_000 })
    const journal = await simulation.complete(opening)
    await model.compare(journal)
    await expectSound(journal)
    if (steady) await model.expectGaps(journal)
    model.watch(journal)
    for (const stream of streams) hearing(journal, stream)
    machine.disk.pace = { changeUs: [0, 2000], syncUs: [1000, dice.int(2000, 300_000)] }
    for (let steps = dice.int(0, 80); steps > 0; steps--) {
      step(machine, journal, model, dice)
      if (!steady && dice.chance(0.03)) machine.clock.step(dice.int(-3_000_000, 3_000_000))
      if (dice.chance(0.6)) await simulation.run(dice.int(0, dice.chance(0.1) ? 15_000 : 300))
    }
    const end = dice.int(0, 3)
    if (end === 0) await simulation.complete(journal.close())
    else if (end === 1) {
      machine.kill()
      machine.start()
    } else machine.boot()
    await simulation.run(dice.int(0, 5000))
    if (end === 0) {
      machine.kill()
      machine.start()
    }
  }
}

function hearing(journal: Journal, stream: string): void {
  journal.hearing.added(stream)
  journal.hearing.heard(stream)
}

test.each(Array.from({ length: 10 }, (_, index) => index))(
  'a hundred lives with power cuts, kills and ends: %d',
  async (tens) => {
    for (let seed = 10 * tens; seed < 10 * tens + 10; seed++) {
      await live(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error })
      })
    }
  }
)

test('a start that is cut off at any moment can be repeated', async () => {
  for (let seed = 0; seed < 60; seed++) {
    const simulation = new Simulation(seed)
    const machine = simulation.machine('pi')
    machine.disk.pace = { changeUs: [500, 2000], syncUs: [1000, 5000] }
    for (let life = 0; life < 3; life++) {
      void openJournal(machine.world, { reserveBytes: 10_000 })
      await simulation.run(simulation.dice.int(0, 60))
      machine.boot()
    }
    const journal = await simulation.complete(openJournal(machine.world)).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error })
    })
    machine.disk.pace = none
    expect((await journal.verify()).problems, `seed ${seed}`).toEqual([])
  }
})
