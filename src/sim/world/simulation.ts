import { nextTick } from 'node:process'
import type { Ms, Timer, Us } from '../../world/time.ts'
import { Dice } from './dice.ts'
import { Machine, type MachineOptions } from './machine.ts'
import { Network } from './network.ts'
import { EventQueue } from './queue.ts'

/** 2026-11-02T08:00:00Z, a Monday. */
const defaultStartWallUs = Date.UTC(2026, 10, 2, 8) * 1000

/**
 * A world in one process and in simulated time. Events run one by one, by time and then in the order they were
 * scheduled; after each, every promise job it caused runs to its end before the next. Nothing real is waited for, and
 * chance comes from the seed, so the same seed gives the same life.
 */
export class Simulation {
  readonly seed: number
  readonly dice: Dice
  readonly network: Network
  readonly startWallUs: Us
  readonly #queue = new EventQueue()
  readonly #machines = new Map<string, Machine>()
  #nowUs: Us = 0
  #running = false
  #events = 0

  constructor(seed: number, options: { startWallUs?: Us } = {}) {
    this.seed = seed
    this.dice = new Dice(seed)
    this.startWallUs = options.startWallUs ?? defaultStartWallUs
    this.network = new Network(this)
  }

  /** Simulated time since the start, which no clock fault touches. */
  get nowUs(): Us {
    return this.#nowUs
  }

  /** What a right clock shows now: µs since 1970. */
  get trueWallUs(): Us {
    return this.startWallUs + this.#nowUs
  }

  /** The machine of that name (in lower case, as in a URL), made and started at the first call. It answers on `http://name:port`. */
  machine(name: string, options?: MachineOptions): Machine {
    let machine = this.#machines.get(name)
    if (!machine) {
      machine = new Machine(this, name, options)
      this.#machines.set(name, machine)
    }
    return machine
  }

  /** The machine of that name, if there is one. */
  findMachine(name: string): Machine | undefined {
    return this.#machines.get(name)
  }

  /** Runs `run` in `delayUs`, after everything that was scheduled earlier for that time. */
  schedule(delayUs: Us, run: () => void): Timer {
    return this.#queue.add(this.#nowUs + Math.max(0, Math.round(delayUs)), run)
  }

  /** Lets `ms` of simulated time pass. */
  async run(ms: Ms): Promise<void> {
    await this.#advance(ms, () => false)
  }

  /** Runs until `condition` holds, looked at after each event. Rejects when it does not within `limitMs`. */
  async runUntil(condition: () => boolean, limitMs: Ms): Promise<void> {
    if (!(await this.#advance(limitMs, condition))) throw new Error(`not so after ${limitMs} simulated ms`)
  }

  /** Runs until `promise` settles, and gives what it gave. */
  async complete<T>(promise: Promise<T>, limitMs: Ms = 60_000): Promise<T> {
    let settled = false
    const settle = (): void => {
      settled = true
    }
    promise.then(settle, settle)
    await this.runUntil(() => settled, limitMs)
    return promise
  }

  async #advance(ms: Ms, condition: () => boolean): Promise<boolean> {
    if (this.#running) throw new Error('the simulation is running already')
    this.#running = true
    try {
      const endUs = this.#nowUs + Math.round(ms * 1000)
      await turn()
      while (!condition()) {
        const next = this.#queue.peek()
        if (!next || next.atUs > endUs) {
          this.#nowUs = endUs
          return false
        }
        this.#nowUs = next.atUs
        this.#queue.take()!()
        await (++this.#events % TURN_EVENTS === 0 ? turn() : promiseJobs())
      }
      return true
    } finally {
      this.#running = false
    }
  }
}

/** So often others have their turn too, and a promise that was rejected and not caught is noticed. */
const TURN_EVENTS = 1000

/**
 * Resolves when every promise job there is, and all they lead to, have run: a tick begins only then. A turn of the event
 * loop would do as well and cost more.
 */
function promiseJobs(): Promise<void> {
  return new Promise((resolve) => nextTick(resolve))
}

function turn(): Promise<void> {
  // biome-ignore lint/style/noRestrictedGlobals: it waits for no time and reads none
  return new Promise((resolve) => setImmediate(resolve))
}
