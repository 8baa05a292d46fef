import type { CaptureConfig } from '../config/config.ts'
import type { Frame } from '../journal/entry.ts'
import { directory, openJournal, silent, told } from '../journal/fixtures.ts'
import type { Journal } from '../journal/journal.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { Captures, type CapturesOptions } from './captures.ts'
import { readCompressed } from './compressed-file.ts'
import { type SealedFolder, sealedFolders } from './sealed.ts'

/** What the tests of captures share. */

export const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const daily: CaptureConfig = {
  name: 'daily',
  schedule: '0 0 * * *',
  durationMs: DAY_MS,
  timeZone: 'Europe/London',
  streams: [],
  format: 'envelope',
  compression: 'zstd'
}

/** An Understudy that only keeps a journal and makes captures. */
export class Lab {
  readonly simulation: Simulation
  machine: Machine
  /** Where a data disk is mounted. */
  disk: string | undefined
  journal!: Journal
  captures!: Captures
  readonly configs: readonly CaptureConfig[]
  /** The doors that captures go through. */
  through = (world: World): World => world
  step: NonNullable<CapturesOptions['step']> = () => {}
  sealedIsConfirmed = false

  /** @param startUs when it begins; default: 2026-11-02T08:00:00Z */
  constructor(configs: readonly CaptureConfig[] = [daily], seed = 1, startUs?: Us) {
    this.simulation = new Simulation(seed, startUs === undefined ? {} : { startWallUs: startUs })
    this.machine = this.simulation.machine('pi')
    this.configs = configs
  }

  async start(): Promise<void> {
    const { world } = this.machine
    this.journal = await this.do(openJournal(world, { disk: this.disk }))
    const { sealedIsConfirmed } = this
    const options = {
      directory,
      site: 'north',
      version: '1.2.3',
      captures: this.configs,
      step: this.step,
      sealedIsConfirmed
    }
    this.captures = new Captures(this.through(world), this.journal, options, silent)
    this.captures.start()
  }

  async stop(): Promise<void> {
    await this.do(this.captures.stop())
    await this.do(this.journal.close())
  }

  do<T>(promise: Promise<T>): Promise<T> {
    return this.simulation.complete(promise, DAY_MS)
  }

  /** Lets time pass, with a message of each stream now and then. */
  async live(hours: number, everyMs = HOUR_MS / 2, streams = ['spin30']): Promise<void> {
    for (let ms = 0; ms < hours * HOUR_MS; ms += everyMs) {
      for (const stream of streams) this.journal.append(this.message(stream))
      await this.simulation.run(everyMs)
    }
  }

  sealed(): Promise<SealedFolder[]> {
    return this.do(sealedFolders(this.machine.world.files, directory))
  }

  async folders(): Promise<string[]> {
    return (await this.sealed()).map(({ capture, folder }) => `${capture}/${folder}`)
  }

  /** A message of its own, as of now. */
  message(stream = 'spin30'): ReturnType<typeof told> {
    return told(stream, JSON.stringify({ user: 'a', t: this.simulation.nowUs }))
  }

  /** The lines of a sealed file. */
  async content(path: string): Promise<string> {
    const pieces: Buffer[] = []
    const { world } = this.machine
    await this.do(
      readCompressed(world, `${directory}/captures/${path}`, 'zstd', (piece) => void pieces.push(Buffer.from(piece)))
    )
    return Buffer.concat(pieces).toString()
  }

  async range(fromUs: number, toUs: number): Promise<Frame[]> {
    const all = async (): Promise<Frame[]> => {
      const frames: Frame[] = []
      for await (const some of this.journal.range({ fromUs, toUs })) frames.push(...some)
      return frames
    }
    return this.do(all())
  }
}
