import type { Ms, Us } from '../../world/time.ts'
import type { Simulation } from './simulation.ts'

type Phase = 'timer' | 'input'

/**
 * One process of a machine, from its start to its end. When it has ended, nothing reaches it any more: its timers and
 * its input and output never call back, its promises never settle.
 */
export class Process {
  readonly simulation: Simulation
  #alive = true
  #stalledUntilUs: Us = 0
  readonly #waiting: Record<Phase, Array<() => void>> = { timer: [], input: [] }
  readonly #endings = new Set<(why: 'killed' | 'power') => void>()

  constructor(simulation: Simulation) {
    this.simulation = simulation
  }

  get alive(): boolean {
    return this.#alive
  }

  get stalled(): boolean {
    return this.simulation.nowUs < this.#stalledUntilUs
  }

  /** Runs `run` in the process: now, or at the end of a stall (late timers first, then the input that waited, as Node does), or never. */
  deliver(phase: Phase, run: () => void): void {
    if (!this.#alive) return
    if (this.stalled) this.#waiting[phase].push(run)
    else run()
  }

  /** Stops the process for `ms`, as SIGSTOP and SIGCONT do. */
  stall(ms: Ms): void {
    this.#stalledUntilUs = Math.max(this.#stalledUntilUs, this.simulation.nowUs + ms * 1000)
    this.simulation.schedule(ms * 1000, () => {
      if (this.stalled) return
      for (const run of [...this.#waiting.timer.splice(0), ...this.#waiting.input.splice(0)]) {
        this.simulation.schedule(0, () => this.deliver('input', run))
      }
    })
  }

  /** Calls `run` when the process ends. Gives a function that takes this back. */
  atEnd(run: (why: 'killed' | 'power') => void): () => void {
    this.#endings.add(run)
    return () => this.#endings.delete(run)
  }

  end(why: 'killed' | 'power'): void {
    if (!this.#alive) return
    this.#alive = false
    for (const run of this.#endings) run(why)
    this.#endings.clear()
  }

  /** What a door's call gives: `work` is done now, the caller hears of it `delayUs` later. */
  async io<T>(delayUs: Us, work: () => T): Promise<T> {
    if (!this.#alive) return never
    if (delayUs <= 0 && !this.stalled) return work()
    const settle = this.#attempt(work)
    await this.pass(delayUs)
    return settle()
  }

  /** Resolves in `delayUs`. */
  pass(delayUs: Us): Promise<void> {
    return new Promise((resolve) => {
      this.simulation.schedule(delayUs, () => this.deliver('input', resolve))
    })
  }

  #attempt<T>(work: () => T): () => T {
    try {
      const value = work()
      return () => value
    } catch (error) {
      return () => {
        throw error
      }
    }
  }
}

/** The promise of a process that has ended. */
export const never: Promise<never> = new Promise(() => {})
