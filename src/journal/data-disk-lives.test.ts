import { expect, test } from 'vitest'
import { repeats } from '../../test/support/scale.ts'
import type { Dice } from '../sim/world/dice.ts'
import type { Disk } from '../sim/world/disk.ts'
import type { Machine } from '../sim/world/machine.ts'
import { Simulation } from '../sim/world/simulation.ts'
import { readCatalogue } from './catalogue.ts'
import { findDisk } from './disks.ts'
import { directory, silent, texts, told, writerOptions } from './fixtures.ts'
import { Journal } from './journal.ts'
import { journalPaths } from './paths.ts'

/** Lives of a journal whose data disk comes and goes, and goes to a new card, with cuts and restarts in between, each from a seed. */

const mount = '/media/usb'
const pace: Disk['pace'] = { changeUs: [50, 500], syncUs: [500, 5000] }

class Life {
  readonly steps: string[] = []
  readonly acked: string[] = []
  /** Acknowledged, and known to lie on the data disk. */
  readonly #onDisk = new Set<string>()
  /** Lost with a card, unless it was on the disk all the same. */
  readonly #onCards = new Set<string>()
  /** Whether a catalogue was lost together with its copy: where a store ended that was damaged then, nothing tells. */
  #forgotten = false
  #machine: Machine
  #cards = 1
  readonly #usb: Disk
  readonly #dice: Dice
  #journal: Journal | undefined
  #attached = true
  #sent = 0

  readonly #maxBytes: number | undefined

  constructor(seed: number, maxBytes?: number) {
    this.#maxBytes = maxBytes
    const simulation = new Simulation(seed)
    this.#dice = simulation.dice.fork('life')
    this.#machine = simulation.machine('pi')
    this.#usb = this.#machine.mount(mount)
    for (const disk of [this.#usb, this.#machine.disk]) disk.pace = pace
  }

  async live(steps: number): Promise<void> {
    await this.#open()
    const actions = [
      () => this.#record(),
      () => this.#record(),
      () => this.#pass(),
      () => this.#detach(),
      () => this.#attach(),
      () => this.#look(),
      () => this.#restart(),
      () => this.#cut(),
      () => this.#newCard(),
      () => this.#readOnly()
    ]
    for (let step = 0; step < steps; step++) await actions[this.#dice.int(0, actions.length - 1)]!()
  }

  /** The disk is there, and all that was acknowledged is read, once and in order. */
  async check(): Promise<void> {
    this.#usb.readOnly = false
    await this.#attach()
    await this.#restart()
    const journal = this.#journal!
    await this.#complete(journal.lookForDisk())
    await this.#record()
    const report = await this.#complete(journal.verify())
    const told = report.problems.filter(({ kind, detail }) => kind !== 'missing' || !/^lost in/.test(detail))
    expect(this.#forgotten ? told : report.problems).toEqual([])
    expect(report.away).toEqual([])
    const found = await this.#complete(texts(journal.range({})))
    expect(new Set(found).size).toBe(found.length)
    const acked = new Set(this.acked)
    const kept = new Set(found)
    const mayBeGone = (text: string): boolean => this.#maxBytes !== undefined || this.#onCards.has(text)
    const expected = this.acked.filter((text) => kept.has(text) || !mayBeGone(text))
    expect(found.filter((text) => acked.has(text))).toEqual(expected)
    expect(journal.disk).toEqual({ mount, used: true, away: [] })
    for (const { fromUs, toUs, heardUs, rest } of await this.#complete(journal.coverage())) {
      expect(heardUs + rest.reduce((sum, gap) => sum + gap.toUs - gap.fromUs, 0)).toBe(toUs - fromUs)
      expect(rest.map(({ cause }) => cause)).not.toContain('disk away')
    }
    await this.#complete(journal.close())
    await this.#checkFolders()
    const disk = await this.#complete(findDisk(this.#machine.world.files, mount))
    expect(disk).toBeDefined()
  }

  /** What lies on the disks is what the catalogue names, and nothing else. */
  async #checkFolders(): Promise<void> {
    const { files } = this.#machine.world
    const { stores, disks = [] } = (await this.#complete(readCatalogue(files, journalPaths(directory).catalogue)))!
    const folders = [{ id: undefined, folder: directory }, ...disks]
    for (const { id, folder } of folders) {
      const named = stores.filter(({ disk, removed }) => disk === id && !removed).map(({ number }) => number)
      const there = await this.#complete(files.list(journalPaths(folder).stores))
      expect(there.map(({ name }) => Number(name)).sort((a, b) => a - b)).toEqual(named)
    }
  }

  #complete<T>(work: Promise<T>): Promise<T> {
    return this.#machine.simulation.complete(work)
  }

  async #open(): Promise<void> {
    this.steps.push('open')
    this.#journal = await this.#complete(this.#begin())
    this.#journal.hearing.added('spin30')
    this.#journal.hearing.heard('spin30')
  }

  #begin(): Promise<Journal> {
    const options = {
      ...writerOptions,
      disk: mount,
      storeBytes: 5000,
      retention: { minFreeBytes: 0, maxBytes: this.#maxBytes }
    }
    return Journal.open(this.#machine.world, options, silent)
  }

  async #record(): Promise<void> {
    this.steps.push('record')
    const some: string[] = []
    for (let i = this.#dice.int(1, 30); i > 0; i--) {
      const text = `message ${this.#sent++} ${this.#dice.bytes(20).toString('hex')}`
      some.push(text)
      this.#journal!.append(told('spin30', text))
    }
    const before = this.#journal!.disk.used
    await this.#complete(this.#journal!.commit())
    this.acked.push(...some)
    if (before && this.#journal!.disk.used) for (const text of some) this.#onDisk.add(text)
  }

  async #pass(): Promise<void> {
    this.steps.push('pass')
    this.#journal!.hearing.proof('spin30')
    await this.#machine.simulation.run(this.#dice.int(1, 30_000))
  }

  async #detach(): Promise<void> {
    if (!this.#attached) return
    const left = this.#dice.int(0, 1) === 0 ? 'folder' : 'mounted'
    this.steps.push(`detach, ${left}`)
    this.#machine.detach(mount, left)
    this.#attached = false
  }

  async #attach(): Promise<void> {
    if (this.#attached) return
    this.steps.push('attach')
    this.#machine.attach(mount, this.#usb)
    this.#attached = true
  }

  async #look(): Promise<void> {
    this.steps.push('look')
    const looked = this.#journal!.lookForDisk()
    if (this.#dice.int(0, 1) === 0) await this.#complete(looked)
    else looked.catch(() => {})
  }

  async #readOnly(): Promise<void> {
    this.#usb.readOnly = !this.#usb.readOnly
    this.steps.push(`read-only ${this.#usb.readOnly}`)
  }

  async #restart(): Promise<void> {
    this.steps.push('restart')
    await this.#complete(this.#journal!.close())
    await this.#open()
  }

  /** The disk goes to another machine, which has never recorded anything; that one may be cut off while it begins. */
  async #newCard(): Promise<void> {
    this.steps.push('new card')
    this.#usb.readOnly = false
    if (this.#dice.int(0, 1) === 0) await this.#complete(this.#journal!.close())
    this.#machine.cutPower()
    for (const text of this.acked) if (!this.#onDisk.has(text)) this.#onCards.add(text)
    if (this.#attached) this.#machine.detach(mount)
    this.#machine = this.#machine.simulation.machine(`pi ${++this.#cards}`)
    this.#machine.disk.pace = pace
    this.#machine.attach(mount, this.#usb)
    this.#attached = true
    if (this.#dice.int(0, 2) === 0) await this.#damageCopies()
    if (this.#dice.int(0, 1) === 0) {
      this.steps.push('cut off')
      this.#begin().catch(() => {})
      await this.#machine.simulation.run(this.#dice.int(0, 60))
      this.#machine.cutPower()
      this.#machine.boot()
    }
    await this.#open()
  }

  async #damageCopies(): Promise<void> {
    const { files } = this.#machine.world
    const disk = await this.#complete(findDisk(files, mount))
    const path = disk && journalPaths(disk.folder)[this.#dice.int(0, 1) === 0 ? 'catalogue' : 'head']
    if (!path || !(await this.#complete(files.info(path)))) return
    const content = await this.#complete(files.readFile(path))
    if (path.endsWith('catalogue')) this.#forgotten = true
    const how = this.#dice.int(0, 2)
    this.steps.push(`damage ${how} of ${path.replace(/.*\//, '')}`)
    if (how === 0) return this.#complete(files.remove(path))
    if (how === 1) return this.#complete(files.writeFile(path, content.subarray(0, content.length / 2)))
    const at = this.#dice.int(0, content.length - 1)
    content[at] = content[at]! ^ 1
    return this.#complete(files.writeFile(path, content))
  }

  async #cut(): Promise<void> {
    this.steps.push('cut')
    const wasMounted = this.#attached
    this.#machine.cutPower()
    this.#machine.boot()
    this.#attached = wasMounted
    await this.#open()
  }
}

test.each([
  ['without limits', undefined],
  ['with little room', 40_000]
])(
  'what was acknowledged is there once, whenever the disk goes and comes: %s',
  { timeout: 300_000 },
  async (_, bytes) => {
    for (let seed = 1; seed <= repeats(300); seed++) {
      const life = new Life(seed, bytes)
      try {
        await life.live(25)
        await life.check()
      } catch (error) {
        throw new Error(`seed ${seed}: ${life.steps.join('; ')}`, { cause: error })
      }
    }
  }
)
