import type { Ms } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { MachineReport } from '../report.ts'
import { type DiskPlace, DiskSensor } from './disk.ts'
import { type Kernel, numberIn } from './kernel.ts'
import { readLoad } from './load.ts'
import { readMemory } from './memory.ts'
import { readNetwork } from './network.ts'
import { Power } from './power.ts'
import { Temperature } from './temperature.ts'

/** All that is read of the machine, a few ms of work: to be done once a minute. */
export class MachineSensor {
  readonly #world: World
  readonly #kernel: Kernel
  readonly #power: Power
  readonly #temperature: Temperature
  #disks: readonly DiskSensor[] = []
  #model: Promise<string | undefined> | undefined

  constructor(world: World, kernel: Kernel) {
    this.#world = world
    this.#kernel = kernel
    this.#power = new Power(kernel)
    this.#temperature = new Temperature(kernel, world.host)
  }

  /** @param places the disks that are written to now */
  async read(places: readonly DiskPlace[], nowMs: Ms): Promise<MachineReport> {
    const kernel = this.#kernel
    const { clock, files } = this.#world
    const uptimeMs = await this.#uptimeMs()
    const at = { monoUs: clock.monoUs(), nowMs, uptimeMs }
    this.#disks = places.map(
      (place) => this.#disks.find((disk) => disk.place.path === place.path) ?? new DiskSensor(files, kernel, place)
    )
    const disks = []
    for (const disk of this.#disks) disks.push(await disk.read(at))
    this.#model ??= this.#readModel()
    return {
      model: await this.#model,
      uptimeMs,
      temperatureC: await this.#temperature.read(),
      power: await this.#power.read(),
      memory: await readMemory(kernel),
      load: await readLoad(kernel),
      disks: disks.filter((disk) => disk !== undefined),
      network: await readNetwork(kernel)
    }
  }

  async #uptimeMs(): Promise<Ms | undefined> {
    const seconds = numberIn((await this.#kernel.text('/proc/uptime'))?.split(' ')[0])
    return seconds === undefined ? undefined : seconds * 1000
  }

  async #readModel(): Promise<string | undefined> {
    return (await this.#kernel.text('/proc/device-tree/model')) ?? (await this.#world.host.inquire()).model
  }
}
