import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import type { Journal } from '../../src/journal/journal.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'
import { message } from '../kill/feeder.ts'
import { append, openJournal } from '../support/journals.ts'
import { LoopDisk } from '../support/loop-disk.ts'
import { ownDisk } from '../support/own-disk.ts'
import { rounds } from '../support/rounds.ts'
import { repeats } from '../support/scale.ts'

const streams = Array.from({ length: 12 }, (_, index) => `spin${30 + index}`)
const PERIOD_MS = 50
/** On a busy machine, where copying takes long, nothing comes for a while after a copy that was torn. */
const REST_MS = 20
/** A store is finished every few seconds. */
const STORE_BYTES = 300_000
/** A journal is begun anew after so many cuts, so that reading it stays quick. */
const CUTS_OF_ONE = 25

const own = ownDisk(96, 'file')
let world: World

beforeAll(async () => {
  world = await realWorld()
})

/** A journal under load, and what it has said to be on the disk. */
class Recording {
  readonly acknowledged = new Map<string, number>()
  readonly journal: Journal
  readonly begunUs = world.clock.wallUs()
  /** When the last frame came. */
  lastUs = this.begunUs
  readonly #timer: NodeJS.Timeout
  #number = 0
  #restsUntil = 0

  constructor(journal: Journal) {
    this.journal = journal
    journal.onCommit((lastSeqs) => {
      for (const [stream, seq] of lastSeqs) this.acknowledged.set(stream, seq)
    })
    this.#timer = setInterval(() => {
      if (performance.now() < this.#restsUntil) return
      this.#number++
      for (const stream of streams) this.lastUs = append(journal, stream, this.#number).wallUs
    }, PERIOD_MS)
  }

  rest(ms: number): void {
    this.#restsUntil = performance.now() + ms
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.journal.close()
  }
}

interface Loss {
  /** Frames that had been acknowledged and are not there. */
  readonly frames: number
  /** What `verify` names. */
  readonly problems: number
  /** Stores that were found damaged, or that could not be opened at all. */
  readonly stores: number
  /** From the last frame that is there to the last that had come. */
  readonly ms: number
}

/**
 * Cuts the power of a copy of the disk, and opens what is left: what its file system had not yet written is not there. A
 * copy during which the disk was written to shows no single moment, and is taken again.
 */
async function cut(recording: Recording, directory: string): Promise<Loss> {
  const image = `${own.folder}/cut`
  let torn = 0
  for (;;) {
    const promised = new Map(recording.acknowledged)
    const { lastUs } = recording
    if (!(await own.disk.copy(image))) {
      torn++
      recording.rest(torn * REST_MS)
      continue
    }
    const copy = await LoopDisk.mount(image)
    try {
      return await lossOf(`${copy.path}/${directory}`, promised, recording.begunUs, lastUs)
    } finally {
      await copy.remove()
    }
  }
}

async function lossOf(
  directory: string,
  promised: ReadonlyMap<string, number>,
  begunUs: number,
  lastUs: number
): Promise<Loss> {
  const errors: string[] = []
  const log = { debug() {}, info() {}, warn() {}, error: (_: object, text: string) => void errors.push(text) }
  const journal = await openJournal(world, directory, { storeBytes: STORE_BYTES }, log)
  try {
    const seqs = new Map<string, Set<number>>(streams.map((stream) => [stream, new Set()]))
    let keptUs = begunUs
    for await (const frames of journal.range({})) {
      for (const { stream, seq, payload, wallUs } of frames) {
        expect(seqs.get(stream)!.has(seq), `${stream} ${seq} is there twice`).toBe(false)
        seqs.get(stream)!.add(seq)
        expect(payload.equals(message(stream, seq)), `${stream} ${seq}`).toBe(true)
        keptUs = Math.max(keptUs, wallUs)
      }
    }
    let frames = 0
    for (const [stream, last] of promised) {
      for (let seq = 1; seq <= last; seq++) if (!seqs.get(stream)!.has(seq)) frames++
    }
    const { problems } = await journal.verify()
    return { frames, problems: problems.length, stores: errors.length, ms: (lastUs - keptUs) / 1000 }
  } finally {
    await journal.close()
  }
}

async function cuts(count: number, recorder: World): Promise<Loss[]> {
  const losses: Loss[] = []
  await rounds(Math.ceil(count / CUTS_OF_ONE), async (dice) => {
    const directory = `data-${losses.length}`
    const recording = new Recording(
      await openJournal(recorder, `${own.disk.path}/${directory}`, { storeBytes: STORE_BYTES })
    )
    try {
      for (let left = CUTS_OF_ONE; left > 0 && losses.length < count; left--) {
        await sleep(dice.fraction() * 4 * PERIOD_MS)
        losses.push(await cut(recording, directory))
      }
      expect(recording.acknowledged.get(streams[0]!)).toBeGreaterThan(0)
    } finally {
      await recording.stop()
      await rm(`${own.disk.path}/${directory}`, { recursive: true })
    }
  })
  return losses
}

function total(losses: readonly Loss[], what: 'frames' | 'problems' | 'stores'): number {
  return losses.reduce((sum, loss) => sum + loss[what], 0)
}

function worst(losses: readonly Loss[]): string {
  return `${Math.round(Math.max(...losses.map(({ ms }) => ms)))} ms`
}

test('nothing that was acknowledged is lost in a power cut', { timeout: 1_200_000 }, async () => {
  const losses = await cuts(repeats(200), world)
  console.log(`${losses.length} power cuts: at worst the last ${worst(losses)} were lost`)
  expect(total(losses, 'frames')).toBe(0)
  expect(total(losses, 'stores')).toBe(0)
  expect(total(losses, 'problems')).toBe(0)
})

test('without syncing the same test finds losses', { timeout: 1_200_000 }, async () => {
  const { stores } = world
  const unsynced: World = {
    ...world,
    stores: {
      ...stores,
      async open(directory, options) {
        const store = await stores.open(directory, options)
        return { ...store, batch: (operations) => store.batch(operations, { sync: false }) }
      }
    }
  }
  const losses = await cuts(repeats(20), unsynced)
  const lost = total(losses, 'frames')
  console.log(
    `${losses.length} power cuts without syncing: ${lost} acknowledged frames lost, at worst ${worst(losses)}`
  )
  expect(lost).toBeGreaterThan(0)
})
