import type { Ms } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { SimulatedClock } from './clock.ts'
import { simulatedDerive } from './derive.ts'
import type { Dice } from './dice.ts'
import { Disk } from './disk.ts'
import { locate, SimulatedFiles } from './files.ts'
import { Folder } from './folder.ts'
import { SimulatedHost, SimulatedSupervisor } from './host.ts'
import type { LocalServer } from './local.ts'
import type { DirectoryNode } from './node.ts'
import { Process } from './process.ts'
import { type FakeProgram, SimulatedPrograms } from './programs.ts'
import type { Simulation } from './simulation.ts'
import { SimulatedSockets } from './sockets.ts'
import { SimulatedStores } from './stores.ts'
import { SimulatedTimers } from './timers.ts'
import { simulatedZstd } from './zstd.ts'

export interface MachineOptions {
  /** Of the disk at `/`. */
  readonly diskBytes?: number
}

/**
 * A computer: clock, disks, network address, and processes, each of which sees it through a `World` of its own. It is
 * on, with one process, once it is made.
 */
export class Machine {
  readonly simulation: Simulation
  readonly name: string
  readonly clock: SimulatedClock
  /** The disk at `/`. */
  readonly disk: Disk
  readonly host: SimulatedHost
  readonly supervisor = new SimulatedSupervisor()
  /** What `world.programs` can run. */
  readonly programs = new Map<string, FakeProgram>()
  /** Who listens on unix sockets, by path. */
  readonly localServers = new Map<string, LocalServer>()
  readonly #dice: Dice
  readonly #mounts = new Map<string, Disk>()
  readonly #lockedStores = new Set<DirectoryNode>()
  readonly #processes = new Map<World, Process>()
  #newest: World | undefined
  #disks = 0
  #on = false

  constructor(simulation: Simulation, name: string, options: MachineOptions = {}) {
    this.simulation = simulation
    this.name = name
    this.#dice = simulation.dice.fork(`machine ${name}`)
    this.clock = new SimulatedClock(simulation)
    this.host = new SimulatedHost(this.clock)
    this.disk = this.mount('/', options.diskBytes)
    this.boot()
  }

  get on(): boolean {
    return this.#on
  }

  /** The world of the process started last. */
  get world(): World {
    if (!this.#newest) throw new Error(`${this.name} runs nothing`)
    return this.#newest
  }

  /** Another disk, new and empty, for everything under `path`. */
  mount(path: string, sizeBytes?: number): Disk {
    const number = this.#disks++
    const label = number === 0 ? path : `${path}:${number}`
    const disk = new Disk(this.simulation, `${this.name}:${label}`, number, sizeBytes)
    this.#mounts.set(path, disk)
    return disk
  }

  /**
   * Pulls the disk that is mounted at `path`: what it had not synced is lost, what was open on it is dead.
   * @param left what is at `path` from then on: the empty folder that it was mounted on, or, as Linux has it until
   * somebody unmounts it or the machine boots, the dead disk, on which everything gives EIO
   * @returns the disk, to be attached again
   */
  detach(path: string, left: 'folder' | 'mounted' = 'folder'): Disk {
    const disk = this.#mounts.get(path)
    if (!disk || path === '/') throw new Error(`no disk to detach at ${path}`)
    if (disk.present) disk.vanish()
    if (left === 'folder') this.#unmount(path)
    return disk
  }

  /** Plugs a disk in again, and mounts it at `path`. */
  attach(path: string, disk: Disk): void {
    disk.comeBack()
    this.#mounts.set(path, disk)
  }

  /** A new process in the same boot. */
  start(): World {
    if (!this.#on) throw new Error(`${this.name} is off`)
    const process = new Process(this.simulation)
    const world: World = {
      clock: this.clock,
      timers: new SimulatedTimers(process, () => this.clock.wallUs()),
      random: this.#dice.fork(`process ${this.#dice.int(0, 0x7fffffff)}`),
      files: new SimulatedFiles(process, this.#mounts, this.clock),
      stores: new SimulatedStores(process, this.#mounts, this.#lockedStores, this.clock),
      sockets: new SimulatedSockets(process, this, this.#mounts),
      programs: new SimulatedPrograms(process, this.programs, () => world),
      zstd: simulatedZstd,
      derive: simulatedDerive,
      host: this.host,
      supervisor: this.supervisor
    }
    this.#processes.set(world, process)
    this.#newest = world
    return world
  }

  /** kill -9: nothing reaches the process any more, its sockets close, its stores unlock; the files stay as it saw them. */
  kill(world: World = this.world): void {
    this.#processes.get(world)?.end('killed')
    this.#processes.delete(world)
    if (this.#newest === world) this.#newest = undefined
  }

  /** SIGSTOP, and SIGCONT `ms` later: timers are late, input waits. */
  stall(ms: Ms, world: World = this.world): void {
    this.#processes.get(world)?.stall(ms)
  }

  /** Every process ends without a word to anyone; of what the disks had not synced, the seed decides what is left. */
  cutPower(): void {
    this.#on = false
    for (const process of this.#processes.values()) process.end('power')
    this.#processes.clear()
    this.#newest = undefined
    for (const disk of this.#mounts.values()) disk.cut()
  }

  /** Switches it on, after a power cut if it still is on: a new boot and its first process. */
  boot(): World {
    if (this.#on) this.cutPower()
    for (const [path, disk] of [...this.#mounts]) if (!disk.present) this.#unmount(path)
    this.#on = true
    this.clock.restart(uuid(this.#dice.bytes(16)))
    return this.start()
  }

  #unmount(path: string): void {
    this.#mounts.delete(path)
    const below = locate(this.#mounts, path)
    let folder = new Folder(below.disk, below.disk.root, () => Math.trunc(this.clock.wallUs() / 1000))
    for (const name of below.path.split('/')) if (name) folder = folder.folder(name)
  }
}

function uuid(bytes: Buffer): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
