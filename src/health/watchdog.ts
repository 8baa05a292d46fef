import type { Ms, Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { JournalFacts } from './rooms.ts'

/** A tick that comes later than this, and the event loop is not quick. */
const LATE_US = 1_000_000
/** What waits longer for its commit is not being committed. */
const COMMIT_MS: Ms = 30_000
/** Of the time that systemd allows: one missed is not yet too many. */
const TICKS = 4

/**
 * Tells systemd that the service lives, but only while it does what it is there for: commits succeed, or nothing needed
 * one, and the event loop is quick. A process that merely runs is started again. One exception: on a full disk no commit
 * succeeds either, but a start makes no room, and would lose what waits for it in memory.
 */
export class Watchdog {
  readonly #world: World
  readonly #journal: () => JournalFacts
  #timer: Timer | undefined
  #expectedUs: Us = 0

  constructor(world: World, journal: () => JournalFacts) {
    this.#world = world
    this.#journal = journal
  }

  start(): void {
    const { supervisor, timers, clock } = this.#world
    void supervisor.tell('READY=1')
    if (supervisor.watchdogMs === undefined) return
    const tickMs = supervisor.watchdogMs / TICKS
    this.#expectedUs = clock.monoUs() + tickMs * 1000
    this.#timer = timers.every(tickMs, () => this.#tick(tickMs))
  }

  stop(): void {
    this.#timer?.cancel()
    void this.#world.supervisor.tell('STOPPING=1')
  }

  /** One line for `systemctl status`. */
  say(sentence: string): void {
    void this.#world.supervisor.tell(`STATUS=${sentence}`)
  }

  #tick(tickMs: Ms): void {
    const nowUs = this.#world.clock.monoUs()
    const isQuick = nowUs - this.#expectedUs < LATE_US
    this.#expectedUs = nowUs + tickMs * 1000
    const { open, failure, pendingMs } = this.#journal()
    const isCommitting = open && failure === undefined && pendingMs < COMMIT_MS
    if (isQuick && (isCommitting || failure === 'disk full')) void this.#world.supervisor.tell('WATCHDOG=1')
  }
}
