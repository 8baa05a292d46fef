import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Dice } from '../../src/sim/world/dice.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'
import { seed } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { cuts, whole } from './cuts.ts'
import { type Recording, record } from './recording.ts'
import { type Found, start } from './start.ts'
import { WriteLog } from './write-log.ts'

/** Of the promised thousand a tenth where time is short. */
const CUTS = repeats(1000) === 1000 ? 1000 : 100
/** So many commits are watched. */
const COMMITS = 120

/** What a cut has cost. */
interface Loss {
  /** Frames that had been acknowledged and are not there as they were. */
  readonly frames: number
  /** Whatever needs a person. */
  readonly problems: readonly string[]
  /** How old the last message of a stream is, at most, that is there; absent while nothing had been acknowledged. */
  readonly ms?: number
}

let world: World
let folder: string
let recording: Recording
let log: WriteLog
/** All that was ever recorded. */
let all: Found

beforeAll(async () => {
  world = await realWorld()
  folder = await mkdtemp(`${tmpdir()}/understudy-cuts-`)
  recording = await record(folder, COMMITS)
  log = new WriteLog(recording.logFile, recording.offset)
  whole(log, recording.begin, `${folder}/whole`)
  all = await start(world, `${folder}/whole`)
})

afterAll(async () => {
  log?.close()
  await rm(folder, { recursive: true })
})

/** Cuts the power at random points, each after the first `from` to `to` entries of the log. */
async function losses(count: number, from: number, to: number): Promise<Loss[]> {
  const dice = new Dice(seed).fork(expect.getState().currentTestName!)
  const points = Array.from({ length: count }, () => dice.int(from, to)).sort((a, b) => a - b)
  const found: Loss[] = []
  for await (const { point, image } of cuts(log, recording.begin, points, dice)) {
    found.push(lossOf(point, await start(world, image)))
  }
  return found
}

function lossOf(point: number, { frames, kept, problems }: Found): Loss {
  const promised = promisedBefore(point)
  let lost = 0
  for (const [position, digest] of all.frames) if (position < promised && frames.get(position) !== digest) lost++
  const last = Math.min(...[...all.kept.keys()].map((stream) => kept.get(stream) ?? 0))
  // The cut may be as late as the entry that is the first not to happen.
  const cut = recording.looks.find(({ logBytes }) => logBytes >= log.entries[point]!.end)!
  return {
    frames: lost,
    problems: problems.map((problem) => `after ${point} entries, seed ${seed}: ${problem}`),
    ...(promised > 0 && { ms: cut.atMs - recording.saidMs[last]! })
  }
}

/** All positions below were acknowledged before a cut after so many entries. */
function promisedBefore(point: number): number {
  const { end } = log.entries[point - 1]!
  return recording.looks.findLast(({ logBytes }) => logBytes <= end)?.position ?? 0
}

const sum = (found: readonly Loss[]): number => found.reduce((total, { frames }) => total + frames, 0)

test('what the cuts are compared with is whole', () => {
  expect(all.problems).toEqual([])
  expect(all.nextPosition).toBeGreaterThanOrEqual(promisedBefore(log.entries.length))
})

test('no cut at any moment since the first power-on costs what was acknowledged, or needs a person', async () => {
  const synced = log.within(recording.syncedBytes)
  const found = await losses(CUTS, 1, synced)
  const windowsMs = found.flatMap(({ ms }) => ms ?? []).sort((a, b) => a - b)
  const problems = found.flatMap((loss) => loss.problems)
  console.log(
    `${CUTS} cuts among ${synced} writes and flushes, ${windowsMs.length} of them after something was acknowledged: ` +
      `${sum(found)} acknowledged frames lost, ${problems.length} problems; what was lost was the last ` +
      `${windowsMs.at(-1)} ms at worst, ${windowsMs[windowsMs.length >> 1]} ms in the middle (seed ${seed})`
  )
  expect(windowsMs.length).toBeGreaterThan(CUTS / 2)
  expect(problems).toEqual([])
  expect(sum(found)).toBe(0)
})

test('where syncing is switched off, the same finds losses', async () => {
  const found = await losses(CUTS / 10, log.within(recording.unsyncedBytes), log.entries.length - 1)
  const damaged = found.filter(({ problems }) => problems.length > 0).length
  console.log(`${found.length} cuts without syncing: ${sum(found)} acknowledged frames lost, ${damaged} need a person`)
  expect(sum(found)).toBeGreaterThan(0)
})
