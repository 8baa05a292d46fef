import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { Frame } from '../../src/journal/entry.ts'
import type { JournalReader, StreamCoverage } from '../../src/journal/reading.ts'
import { openSnapshot } from '../../src/journal/snapshot.ts'
import { realWorld } from '../../src/world/real.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { Feeder, message, type Sent } from './feeder.ts'
import { Recorder } from './recorder.ts'

const streams = Array.from({ length: 12 }, (_, index) => `spin${30 + index}`)
const PER_SECOND = 20
/** A run is killed at a random moment of this time after its start, which is often before it hears anything. */
const LIFE_MS = 2000
/** Wall time is known to the recorder in ms. */
const GRAIN_US = 5000

/** When nothing was running, wall time. */
interface Dead {
  readonly fromUs: number
  toUs: number
}

/** What has been found in the journal so far. */
class Findings {
  readonly numbers = new Map<string, number[]>(streams.map((stream) => [stream, []]))
  position = 1

  async read(reader: JournalReader): Promise<void> {
    const cursor = reader.cursor({ position: this.position })
    for (let entries = await cursor.next(); entries.length > 0; entries = await cursor.next()) {
      for (const entry of entries) {
        expect(entry.position).toBe(this.position++)
        if (entry.kind === 'frame') this.#frame(entry)
      }
    }
    expect(this.position).toBe(reader.nextPosition)
  }

  #frame({ stream, seq, payload, binary }: Frame): void {
    const numbers = this.numbers.get(stream)!
    const { number } = JSON.parse(payload.toString()) as { number: number }
    numbers.push(number)
    expect(seq).toBe(numbers.length)
    expect(binary).toBe(number % 5 === 0)
    expect(payload.equals(message(stream, number)), `${stream} ${number}`).toBe(true)
  }
}

/** Of each connection the journal has what was sent from its first message on, without a hole. */
function expectWhole(numbers: readonly number[], connections: readonly Sent[]): void {
  const expected: number[] = []
  for (const { first, last } of connections) {
    const kept = numbers.filter((number) => number >= first && number <= last).length
    for (let index = 0; index < kept; index++) expected.push(first + index)
  }
  expect(numbers).toEqual(expected)
}

/** Heard and not heard make up the whole period, and nothing is said to be heard while nothing was running. */
function expectCovered({ stream, fromUs, toUs, heardUs, rest }: StreamCoverage, dead: readonly Dead[]): void {
  expect(
    rest.reduce((sum, part) => sum + part.toUs - part.fromUs, heardUs),
    stream
  ).toBe(toUs - fromUs)
  for (const { fromUs: diedUs, toUs: bornUs } of dead) {
    const from = Math.max(fromUs, diedUs + GRAIN_US)
    const to = Math.min(toUs, bornUs - GRAIN_US)
    const silent = rest
      .filter(({ kind }) => kind === 'gap')
      .reduce((sum, part) => sum + Math.max(0, Math.min(to, part.toUs) - Math.max(from, part.fromUs)), 0)
    expect(silent, stream).toBe(Math.max(0, to - from))
  }
}

test('kill -9 at any moment under load', { timeout: 1_200_000 }, async () => {
  const world = await realWorld()
  const folder = await mkdtemp(`${tmpdir()}/understudy-kill-`)
  const feeder = await Feeder.start(streams, PER_SECOND)
  onTestFinished(() => feeder.stop())
  const recorder = await Recorder.prepare(folder, feeder.urls)
  const findings = new Findings()
  const dead: Dead[] = []
  let acknowledged = 0
  let stores = 0

  /** Looks at what a run has left behind while the next one is running. */
  const check = async (
    snapshot: Awaited<ReturnType<typeof openSnapshot>>,
    acks: Map<string, number>
  ): Promise<void> => {
    const since = findings.position
    await findings.read(snapshot)
    for (const [stream, seq] of acks) expect(findings.numbers.get(stream)!.length, stream).toBeGreaterThanOrEqual(seq)
    for (const stream of streams) expectWhole(findings.numbers.get(stream)!, feeder.connections(stream))
    const report = await snapshot.verify({ since })
    expect(report.problems).toEqual([])
    stores = report.stores
    for (const coverage of await snapshot.coverage({ streams })) expectCovered(coverage, dead)
    acknowledged = [...acks.values()].reduce((sum, seq) => sum + seq, 0)
    await snapshot.close()
  }

  const live = async (ms: number): Promise<void> => {
    await sleep(ms)
    await recorder.end('SIGKILL')
    const died = { fromUs: Date.now() * 1000, toUs: Number.MAX_SAFE_INTEGER }
    const acks = await recorder.acknowledged()
    // A first run that was killed before it had made a journal leaves none.
    const there = (await world.files.info(`${recorder.data}/catalogue`)) !== undefined
    const snapshot = there ? await openSnapshot(world, recorder.data) : undefined
    dead.push(died)
    died.toUs = Date.now() * 1000
    recorder.start()
    if (snapshot) await check(snapshot, acks)
  }

  recorder.start()
  await rounds(repeats(200), (dice) => live(dice.fraction() * LIFE_MS))
  // A slow machine hears less in a life: it has more of them, until a second store was begun.
  while (stores < 2) await live(LIFE_MS)

  // The last one is told to stop, and has then kept everything it had acknowledged and says so itself.
  await sleep(LIFE_MS)
  expect(await recorder.end('SIGTERM')).toBe(0)
  const snapshot = await openSnapshot(world, recorder.data)
  const report = await snapshot.verify()
  expect(report.problems).toEqual([])
  for (const { heardUs } of await snapshot.coverage({ streams })) expect(heardUs).toBeGreaterThan(0)
  await check(snapshot, await recorder.acknowledged())
  expect(acknowledged).toBeGreaterThan(0)
  await rm(folder, { recursive: true })
  console.log(
    `${dead.length} kills: ${acknowledged} messages acknowledged, ${report.frames} kept, ${report.stores} stores`
  )
})
