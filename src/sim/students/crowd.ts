import type { Timer } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { RelayPeer } from '../relay/peer.ts'
import { StreamClient } from '../relay/stream-client.ts'
import { Dice } from '../world/dice.ts'
import { encode } from './messages.ts'
import { type Step, students } from './student.ts'

/** A lab is in the middle of something when one begins to look. */
const MOST_BEFORE_MS = 600_000

export interface CrowdOptions {
  readonly streams: readonly string[]
  readonly seed: number
  /** Messages a second on each stream, evenly; without it at a person's pace (about 3 a second over twelve streams). */
  readonly rateHz?: number
  /** PEM that the relay's certificate is checked with. */
  readonly ca?: string
  /** Told of every message as it is sent, for comparison. */
  readonly sent?: (stream: string, text: string) => void
}

/** Simulated students on the streams of a relay, simulated or real: each stream has a connection of theirs. */
export class Crowd {
  readonly #seats: Seat[]

  constructor(world: World, relay: RelayPeer, options: CrowdOptions) {
    const dice = new Dice(options.seed)
    this.#seats = options.streams.map((stream) => new Seat(world, relay, stream, dice.fork(stream), options))
  }

  /** Resolves when all are on their streams and have begun. Rejects when the relay refuses one. */
  async start(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.join()))
    for (const seat of this.#seats) seat.begin()
  }

  /** They leave; nothing is sent any more. */
  stop(): void {
    for (const seat of this.#seats) seat.leave()
  }

  /** How many messages each stream was sent. */
  counts(): Map<string, number> {
    return new Map(this.#seats.map((seat) => [seat.stream, seat.count]))
  }
}

/** The place at one stream that students take one after the other. */
class Seat {
  count = 0
  readonly #world: World
  readonly #client: StreamClient
  readonly #dice: Dice
  readonly #steps: Generator<Step, never>
  readonly #options: CrowdOptions
  #timer: Timer | undefined

  constructor(world: World, relay: RelayPeer, stream: string, dice: Dice, options: CrowdOptions) {
    this.#world = world
    const route = options.ca === undefined ? {} : { ca: options.ca }
    this.#client = new StreamClient(world, relay, stream, () => {}, route)
    this.#dice = dice.fork('arrival')
    this.#steps = students(dice, stream)
    this.#options = options
  }

  get stream(): string {
    return this.#client.stream
  }

  join(): Promise<void> {
    return this.#client.join()
  }

  begin(): void {
    const { rateHz } = this.#options
    if (rateHz === undefined) this.#goOn(this.#stepInTheMiddle())
    else this.#timer = this.#world.timers.every(1000 / rateHz, () => this.#send(this.#steps.next().value))
  }

  leave(): void {
    this.#timer?.cancel()
    this.#client.leave()
  }

  /** The step that is due next at some time after the first student came. */
  #stepInTheMiddle(): Step {
    let step = this.#steps.next().value
    let untilMs = this.#dice.fraction() * MOST_BEFORE_MS
    for (; step.afterMs < untilMs; step = this.#steps.next().value) untilMs -= step.afterMs
    return { ...step, afterMs: step.afterMs - untilMs }
  }

  #goOn(step: Step): void {
    this.#timer = this.#world.timers.after(step.afterMs, () => {
      this.#send(step)
      this.#goOn(this.#steps.next().value)
    })
  }

  #send(step: Step): void {
    const text = encode(step.message, this.#world.clock.wallUs() / 1000)
    if (!this.#client.send(text)) return
    this.count += 1
    this.#options.sent?.(this.stream, text)
  }
}
