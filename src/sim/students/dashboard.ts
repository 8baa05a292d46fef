import { split } from '../../relay/splitter.ts'
import type { Ms } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { RelayPeer } from '../relay/peer.ts'
import { StreamClient } from '../relay/stream-client.ts'

/** A reply as it came to a dashboard. */
export interface Received {
  readonly user: string
  readonly content: string
  readonly atMs: Ms
  /** A Pi's: it begins with a space. */
  readonly marked: boolean
  /** The number of the frame it came in: a dashboard reads nothing of a frame that holds more than one message. */
  readonly frame: number
  readonly message: Readonly<Record<string, unknown>>
}

/** What students' dashboards on one stream ask and receive. */
export class Dashboards {
  readonly received: Received[] = []
  readonly #world: World
  readonly #client: StreamClient
  #frames = 0

  constructor(world: World, relay: RelayPeer, stream: string) {
    this.#world = world
    this.#client = new StreamClient(world, relay, stream, (frame) => this.#read(frame))
  }

  join(): Promise<void> {
    return this.#client.join()
  }

  leave(): void {
    this.#client.leave()
  }

  /** Says something on the stream. False while there is no connection. */
  say(message: object): boolean {
    return this.#client.send(JSON.stringify(message))
  }

  /** Asks for everything, or for one reply. */
  ask(user: string, content = 'all_feedback', exp = 'spinner', course = 'cie3'): boolean {
    const payload = { content, graph: `${exp}-${course}-all`, task: `${exp}-${course}-3` }
    return this.say({ user, t: this.#nowMs, exp, course, type: 'request', payload })
  }

  /** The replies to one student, in order. */
  repliesTo(user: string): Received[] {
    return this.received.filter((reply) => reply.user === user)
  }

  get #nowMs(): Ms {
    return Math.round(this.#world.clock.wallUs() / 1000)
  }

  #read(payload: Buffer): void {
    const frame = this.#frames++
    for (const { start, end, kind } of split(payload)) {
      if (kind !== 'json') continue
      const text = payload.toString('utf8', start, end)
      const message = JSON.parse(text)
      if (message?.type !== 'response') continue
      const { user, content } = message
      this.received.push({ user, content, atMs: this.#nowMs, marked: text.startsWith(' '), frame, message })
    }
  }
}
