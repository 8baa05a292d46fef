import { type Manner, ReplyingPrimary } from '../../src/sim/primary/replying.ts'
import type { RelayPeer } from '../../src/sim/relay/peer.ts'
import { Dashboards, type Received } from '../../src/sim/students/dashboard.ts'
import { type Ms, sleep } from '../../src/world/time.ts'
import type { World } from '../../src/world/world.ts'

/** Where dashboards, primaries and Pis meet: in a simulated world, or around a real relay. */
export interface Scene {
  /** Of everybody but the Pis. */
  readonly world: World
  readonly relay: RelayPeer
  /** Starts a Pi that hears these streams, and resolves when it does. `[standby] mode`: see the config. */
  startPi(streams: readonly string[], mode: 'observe' | 'answer' | 'always'): Promise<void>
}

/** Longer than any wait: 2 s, 0.6 s by chance, a commit, and five answers. */
const ENOUGH_MS = 5000

export const five = ['student_graph', 'comparison_graph', 'task_identification', 'indicators', 'centroids']

/** One stream with its dashboards and its primary, which may be told how to reply. */
export class Bench {
  manner: Manner | undefined
  readonly dashboards: Dashboards
  readonly #world: World
  readonly #primary: ReplyingPrimary

  static async open({ world, relay }: Scene, stream: string, manner?: Manner): Promise<Bench> {
    const bench = new Bench(world, relay, stream, manner)
    await bench.dashboards.join()
    await bench.#primary.start()
    return bench
  }

  private constructor(world: World, relay: RelayPeer, stream: string, manner: Manner | undefined) {
    this.#world = world
    this.manner = manner
    this.dashboards = new Dashboards(world, relay, stream)
    this.#primary = new ReplyingPrimary(world, relay, stream, () => this.manner)
  }

  close(): void {
    this.dashboards.leave()
    this.#primary.stop()
  }

  /** Asks for everything, and gives what has come when nothing more can be expected. */
  async ask(user: string): Promise<Received[]> {
    const before = this.dashboards.repliesTo(user).length
    this.dashboards.ask(user)
    await sleep(this.#world.timers, ENOUGH_MS)
    return this.dashboards.repliesTo(user).slice(before)
  }

  /** Resolves when a student has so many replies; rejects when that takes too long. */
  async until(user: string, count: number, limitMs: Ms): Promise<void> {
    for (let leftMs = limitMs; this.dashboards.repliesTo(user).length < count; leftMs -= 50) {
      if (leftMs < 0)
        throw new Error(`${this.dashboards.repliesTo(user).length} of ${count} replies after ${limitMs} ms`)
      await sleep(this.#world.timers, 50)
    }
  }
}

export const marks = (replies: readonly Received[]): boolean[] => replies.map(({ marked }) => marked)
export const contents = (replies: readonly Received[]): string[] => replies.map(({ content }) => content)

/** Answers of Pis that came in one frame: no dashboard reads them. */
export function joinedAnswers(received: readonly Received[]): Received[] {
  const answers = received.filter(({ marked }) => marked)
  return answers.filter(({ frame }, index) => answers.findIndex((other) => other.frame === frame) !== index)
}
