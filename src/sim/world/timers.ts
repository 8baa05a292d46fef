import { cronOnWall } from '../../config/cron.ts'
import type { Ms, Timer, Timers, Us } from '../../world/time.ts'
import type { Process } from './process.ts'

/** Timers on simulated time. Late by as long as the process is stalled. */
export class SimulatedTimers implements Timers {
  readonly #process: Process
  readonly #wallUs: () => Us

  /** @param wallUs what the system's clock says; its zone is UTC */
  constructor(process: Process, wallUs: () => Us) {
    this.#process = process
    this.#wallUs = wallUs
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

  /** Looks once a minute of simulated time, as a machine that was stopped and goes on does. */
  cron(expression: string, run: () => void): Timer {
    const cron = cronOnWall(expression)
    const next = (): void => {
      const nowMs = Math.floor(this.#wallUs() / 1000)
      // By far the commonest, and croner takes its time.
      const dueMs =
        expression === '* * * * *'
          ? (Math.floor(nowMs / 60_000) + 1) * 60_000
          : (cron.nextRun(new Date(nowMs))?.getTime() ?? Number.POSITIVE_INFINITY)
      timer = this.#once(Math.min(dueMs - nowMs, 60_000), () => {
        if (this.#wallUs() >= dueMs * 1000) run()
        next()
      })
    }
    let timer: Timer
    next()
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
