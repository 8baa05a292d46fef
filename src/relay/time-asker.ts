import { type Ms, sleep } from '../world/time.ts'
import type { World } from '../world/world.ts'

/** Whether the time is wanted is looked at this often, and more rarely the longer asking does not help. */
const FIRST_MS: Ms = 15_000
const MOST_MS: Ms = 900_000

/** Asks the relay for the time where nobody else does: who is heard for weeks asks for no code. */
export class TimeAsker {
  readonly #world: World
  readonly #isWanted: () => boolean
  readonly #ask: () => Promise<void>
  #stopping: AbortController | undefined

  /** @param ask does so by one request, and tells what it has learnt by itself; never rejects */
  constructor(world: World, isWanted: () => boolean, ask: () => Promise<void>) {
    this.#world = world
    this.#isWanted = isWanted
    this.#ask = ask
  }

  start(): void {
    this.#stopping = new AbortController()
    void this.#run(this.#stopping.signal)
  }

  /** A request that has been made is not waited for. */
  stop(): void {
    this.#stopping?.abort()
  }

  async #run(signal: AbortSignal): Promise<void> {
    for (let waitMs = FIRST_MS; ; ) {
      await sleep(this.#world.timers, waitMs, signal)
      if (signal.aborted) return
      if (this.#isWanted()) {
        await this.#ask()
        waitMs = Math.min(2 * waitMs, MOST_MS)
      } else {
        waitMs = FIRST_MS
      }
    }
  }
}
