import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, openSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { Dice } from '../../src/sim/world/dice.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'
import { openJournal } from '../support/journals.ts'
import { LoopDisk } from '../support/loop-disk.ts'
import { seed } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'
import { until } from '../sync/rig.ts'
import { imageFile } from './image.ts'
import { Laboratory } from './laboratory.ts'
import { WriteLog } from './write-log.ts'

/** Of the promised thousand a tenth where time is short. */
const CUTS = repeats(1000) === 1000 ? 1000 : 100
/** So many commits are watched. */
const COMMITS = 60

/** What was known at a moment of the recording. */
interface Moment {
  readonly logBytes: number
  readonly atMs: number
  /** Everything below is on the disk. */
  readonly position: number
}

interface Loss {
  /** Positions that had been acknowledged and are not there. */
  readonly acknowledged: number
  /** What `verify` names, and stores that were found damaged. */
  readonly problems: number
  /** How much of the last time before the cut is missing. */
  readonly ms: number
}

let world: World
let folder: string

beforeAll(async () => {
  world = await realWorld()
  folder = await mkdtemp(`${tmpdir()}/understudy-cuts-`)
})

afterAll(() => rm(folder, { recursive: true }))

/** A recording under load, from the first power-on, with all that it wrote. */
class Recording {
  readonly log: WriteLog
  readonly moments: readonly Moment[]
  readonly #begin: string
  readonly #saidMs: readonly number[]

  private constructor(log: WriteLog, begin: string, moments: readonly Moment[], saidMs: readonly number[]) {
    this.log = log
    this.#begin = begin
    this.moments = moments
    this.#saidMs = saidMs
  }

  /** @param prepare a command on the Pi, before what counts */
  static async make(name: string, prepare: string): Promise<Recording> {
    const laboratory = await Laboratory.open(imageFile())
    onTestFailed(() => console.error(laboratory.pi.console.slice(-6000)))
    const moments: Moment[] = []
    const logPath = `${folder}/${name}.log`
    const begin = `${folder}/${name}.begin`
    try {
      const { pi } = laboratory
      const offset = pi.dataPartition()
      execFileSync('cp', ['--sparse=always', pi.card, begin])
      await pi.boot('virt', { writeLog: logPath })
      await laboratory.untilRecording()
      await pi.untilSsh()
      await pi.told(prepare)
      const watching = pi.sshChild(laboratory.watcher)
      watching.stdout!.on('data', (text: string) => {
        const atMs = Date.now()
        const logBytes = statSync(logPath).size
        for (const line of text.split('\n'))
          if (/^\d+$/.test(line)) moments.push({ logBytes, atMs, position: Number(line) })
      })
      await until(() => new Set(moments.map(({ position }) => position)).size > COMMITS)
      await pi.cut()
      execFileSync('dd', [`if=${begin}`, `of=${begin}.data`, 'bs=1M', `skip=${offset >> 20}`, 'conv=sparse'], {
        stdio: 'ignore'
      })
      await rm(begin)
      return new Recording(new WriteLog(logPath, offset), `${begin}.data`, moments, laboratory.saidMs)
    } finally {
      await laboratory.close()
    }
  }

  /** Cuts the power at so many moments of it, in order. */
  async *cuts(count: number, dice: Dice): AsyncGenerator<Loss> {
    const { entries } = this.log
    const first = entries.findIndex(({ end }) => end >= this.moments[0]!.logBytes)
    const points = Array.from({ length: count }, () => first + Math.floor(dice.fraction() * (entries.length - first)))
    const disk = openSync(this.#begin, 'r+')
    let applied = 0
    try {
      for (const point of points.sort((a, b) => a - b)) {
        const settled = Math.max(applied, this.log.settled(point))
        this.log.apply(disk, applied, settled)
        applied = settled
        yield await this.#cut(point, settled, dice)
      }
    } finally {
      closeSync(disk)
    }
  }

  async #cut(point: number, settled: number, dice: Dice): Promise<Loss> {
    const image = `${this.#begin}.cut`
    execFileSync('cp', ['--sparse=always', this.#begin, image])
    const torn = openSync(image, 'r+')
    this.log.tear(torn, settled, point, dice)
    closeSync(torn)
    // As the Pi does at its start: what it cannot mend by itself needs a person.
    const { status, stdout } = spawnSync('e2fsck', ['-fy', image], { encoding: 'utf8' })
    expect(status, stdout).toBeLessThan(4)
    const before = this.moments.filter(({ logBytes }) => logBytes <= this.log.entries[point]!.end).at(-1)!
    const mounted = await LoopDisk.mount(image)
    try {
      return await this.#lossOf(mounted.path, before)
    } finally {
      await mounted.remove()
    }
  }

  async #lossOf(directory: string, before: Moment): Promise<Loss> {
    const errors: string[] = []
    const log = { debug() {}, info() {}, warn() {}, error: (_: object, text: string) => void errors.push(text) }
    const journal = await openJournal(world, directory, { storeBytes: 256_000_000 }, log)
    try {
      let kept = 0
      for await (const frames of journal.range({})) {
        for (const { payload } of frames) {
          for (const line of payload.toString().split('\n')) kept = Math.max(kept, JSON.parse(line).number)
        }
      }
      const { problems } = await journal.verify()
      const missing = this.#saidMs[kept + 1] ?? before.atMs
      return {
        acknowledged: Math.max(0, before.position - journal.nextPosition),
        problems: problems.length + errors.length,
        ms: Math.max(0, before.atMs - missing)
      }
    } finally {
      await journal.close()
    }
  }
}

async function losses(recording: Recording, count: number): Promise<Loss[]> {
  const all: Loss[] = []
  for await (const loss of recording.cuts(count, new Dice(seed).fork(expect.getState().currentTestName!)))
    all.push(loss)
  return all
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

test('no cut at any moment of a recording costs what was acknowledged, or needs a person', async () => {
  const recording = await Recording.make('synced', 'true')
  const all = await losses(recording, CUTS)
  const worst = Math.max(...all.map(({ ms }) => ms))
  console.log(
    `${all.length} cuts of ${recording.log.entries.length} writes and flushes: at worst the last ${worst} ms were lost (seed ${seed})`
  )
  expect(sum(all.map(({ acknowledged }) => acknowledged))).toBe(0)
  expect(sum(all.map(({ problems }) => problems))).toBe(0)
})

test('where syncing is switched off, the same finds losses', async () => {
  const recording = await Recording.make('unsynced', 'mount -o remount,nobarrier /var/lib/understudy')
  const all = await losses(recording, CUTS / 10)
  const lost = sum(all.map(({ acknowledged }) => acknowledged))
  console.log(`${all.length} cuts without syncing: ${lost} acknowledged positions lost`)
  expect(lost).toBeGreaterThan(0)
})
