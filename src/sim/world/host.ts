import type { ClockSteering, Host, Supervisor } from '../../world/host.ts'
import type { Ms } from '../../world/time.ts'
import type { SimulatedClock } from './clock.ts'

/** A machine that says of itself what a test wants. Its kernel's files are files on its disk. */
export class SimulatedHost implements Host {
  /** It says nothing. */
  mute = false
  model: string | undefined = 'Simulated Pi'
  temperatureC: number | undefined = 45
  ipAddresses: Array<{ interface: string; address: string }> = [{ interface: 'eth0', address: '192.0.2.20' }]
  /** The folders whose owner somebody wanted to act as. */
  readonly writtenAs: string[] = []
  readonly #clock: SimulatedClock

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  async steering(): Promise<ClockSteering | undefined> {
    if (this.mute) return undefined
    const synchronised = await this.#clock.synchronised()
    return { synchronised, driftPpm: 0, maxErrorMs: synchronised ? 1 : 16_000 }
  }

  async inquire(): Promise<{ model?: string; temperatureC?: number }> {
    if (this.mute) return {}
    const { model, temperatureC } = this
    return { ...(model !== undefined && { model }), ...(temperatureC !== undefined && { temperatureC }) }
  }

  async addresses(): Promise<Array<{ interface: string; address: string }>> {
    return this.mute ? [] : this.ipAddresses
  }

  /** Nobody is root on it. */
  async actAsOwnerOf(folder: string): Promise<undefined> {
    this.writtenAs.push(folder)
  }
}

/** Keeps what it is told. */
export class SimulatedSupervisor implements Supervisor {
  watchdogMs: Ms | undefined
  readonly told: string[] = []

  async tell(state: string): Promise<void> {
    this.told.push(state)
  }
}
