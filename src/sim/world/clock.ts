import type { Clock, Us } from '../../world/time.ts'
import type { Simulation } from './simulation.ts'

/** A machine's clock: right and synchronised until a test makes it otherwise. */
export class SimulatedClock implements Clock {
  readonly #simulation: Simulation
  #boot = ''
  #bootedUs = 0
  /** The oscillator counts from here, at `#ppm` too fast. */
  #sinceUs = 0
  #countedUs = 0
  #ppm = 0
  #wallMinusCountUs: number
  #synchronised = true

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    this.#wallMinusCountUs = simulation.startWallUs
  }

  get boot(): string {
    return this.#boot
  }

  wallUs(): Us {
    return Math.round(this.#wallMinusCountUs + this.#count())
  }

  monoUs(): Us {
    return Math.round(this.#count() - this.#bootedUs)
  }

  async synchronised(): Promise<boolean> {
    return this.#synchronised
  }

  /** The wall clock jumps. */
  step(byUs: Us): void {
    this.#wallMinusCountUs += byUs
  }

  setWall(wallUs: Us): void {
    this.#wallMinusCountUs = wallUs - this.#count()
  }

  /** From now on both clocks gain this many µs a second. */
  setDrift(ppm: number): void {
    this.#countedUs = this.#count()
    this.#sinceUs = this.#simulation.nowUs
    this.#ppm = ppm
  }

  setSynchronised(synchronised: boolean): void {
    this.#synchronised = synchronised
  }

  /** A new boot: monotonic time starts again. */
  restart(boot: string): void {
    this.#boot = boot
    this.#bootedUs = this.#count()
  }

  #count(): number {
    const passedUs = this.#simulation.nowUs - this.#sinceUs
    return this.#countedUs + passedUs + (passedUs * this.#ppm) / 1e6
  }
}
