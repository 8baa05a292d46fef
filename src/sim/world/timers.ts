import type { Ms, Timer, Timers } from '../../world/time.ts'
import type { Process } from './process.ts'

/** Timers on simulated time. Late by as long as the process is stalled. */
export class SimulatedTimers implements Timers {
  readonly #process: Process

  constructor(process: Process) {
    this.#process = process
  }

  after(ms: Ms, run: () => void): Timer {
    return this.#once(ms, run)
  }

  every(ms: Ms, run: () => void): Timer {
    const again = (): void => {
      timer = this.#once(ms, again)
      run()
    }
    let timer = this.#once(ms, again)
    return { cancel: () => timer.cancel() }
  }

  afterInput(run: () => void): void {
    this.#process.simulation.schedule(0, () => this.#process.deliver('input', run))
  }

  #once(ms: Ms, run: () => void): Timer {
    let cancelled = false
    // Node's timers count whole milliseconds, one at least.
    const event = this.#process.simulation.schedule(Math.max(1, Math.trunc(ms)) * 1000, () =>
      this.#process.deliver('timer', () => {
        if (!cancelled) run()
      })
    )
    return {
      cancel() {
        cancelled = true
        event.cancel()
      }
    }
  }
}
