import type { ServerConnection } from '../../world/sockets.ts'
import type { Ms, Timer } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { TopicCounts } from './hub.ts'
import type { Traps } from './traps.ts'

const PING_EVERY_MS = 54_000
const PONG_WITHIN_MS = 60_000
/** A write that the peer does not take for so long ends the connection. */
const WRITE_WITHIN_MS = 10_000
const JOIN_WITHIN_MS = 50
const RETRY_MS = 20
/** What may lie in the socket before the relay's writer would block. */
const SOCKET_BUFFER_BYTES = 64 * 1024

/** Text as a string, binary as bytes: so it is sent on as it came. */
export type Message = string | Buffer

export interface Rights {
  readonly topic: string
  readonly booking: string
  readonly canRead: boolean
  readonly canWrite: boolean
  /** Instant at which the token expires, or infinity. */
  readonly expiresMs: Ms
}

/** One websocket on a topic as the relay keeps it: its queue, its pings and its end. */
export class Client {
  readonly rights: Rights
  readonly #world: World
  readonly #connection: ServerConnection
  readonly #counts: TopicCounts
  readonly #traps: () => Traps
  #queue: Message[] = []
  #flushing: Timer | undefined
  #afterInput = false
  #blockedForMs = 0
  readonly #pings: Timer
  #deadline: Timer
  readonly #expiry: Timer | undefined
  #ended = false

  constructor(world: World, connection: ServerConnection, rights: Rights, counts: TopicCounts, traps: () => Traps) {
    this.#world = world
    this.#connection = connection
    this.rights = rights
    this.#counts = counts
    this.#traps = traps
    this.#pings = world.timers.every(PING_EVERY_MS, () => connection.ping(new Uint8Array()))
    this.#deadline = world.timers.after(PONG_WITHIN_MS, () => this.end())
    if (Number.isFinite(rights.expiresMs)) {
      this.#expiry = world.timers.after(rights.expiresMs - world.clock.wallUs() / 1000, () => this.end())
    }
  }

  /** The peer's pong; only this keeps it alive. */
  pong(): void {
    if (this.#ended) return
    this.#deadline.cancel()
    this.#deadline = this.#world.timers.after(PONG_WITHIN_MS, () => this.end())
  }

  /** Queues a message for the peer, or loses it when the queue is full. */
  deliver(message: Message): void {
    if (this.#ended || !this.rights.canRead) return
    const { join, queueLimit } = this.#traps()
    if (this.#queue.length >= queueLimit) {
      this.#counts.dropped += 1
      return
    }
    this.#queue.push(message)
    const crowded = this.#queue.length >= queueLimit / 2
    if (join === 'never' || crowded) this.#flush()
    else if (join === 'always') this.#flushing ??= this.#world.timers.after(JOIN_WITHIN_MS, () => this.#flush())
    else if (this.#world.random.fraction() < 0.5) this.#flush()
    else this.#flushAfterInput()
  }

  /** Ends the connection without a close frame. */
  end(): void {
    this.closed()
    this.#connection.terminate()
  }

  /** Half-open from now on: nothing is read, answered or closed, until `end`. */
  freeze(): void {
    this.closed()
    this.#connection.freeze()
  }

  /** The connection has ended. */
  closed(): void {
    this.#ended = true
    for (const timer of [this.#pings, this.#deadline, this.#expiry, this.#flushing]) timer?.cancel()
    this.#counts.dropped += this.#queue.length
    this.#queue = []
  }

  #flushAfterInput(): void {
    if (this.#afterInput) return
    this.#afterInput = true
    this.#world.timers.afterInput(() => {
      this.#afterInput = false
      this.#flush()
    })
  }

  #flush(): void {
    this.#flushing?.cancel()
    this.#flushing = undefined
    if (this.#ended || this.#queue.length === 0) return
    if (this.#connection.unsentBytes() > SOCKET_BUFFER_BYTES) this.#wait()
    else this.#write()
  }

  #write(): void {
    this.#blockedForMs = 0
    const messages = this.#queue
    this.#queue = []
    const frames = this.#traps().join === 'never' ? messages : [joined(messages)]
    for (const frame of frames) this.#connection.send(frame)
    this.#counts.sent += messages.length
    this.#counts.frames += frames.length
  }

  /** The peer does not read: tries again, and gives up as the real relay does. */
  #wait(): void {
    this.#blockedForMs += RETRY_MS
    if (this.#blockedForMs > WRITE_WITHIN_MS) this.end()
    else this.#flushing = this.#world.timers.after(RETRY_MS, () => this.#flush())
  }
}

/** Joined without a separator into one frame of the first one's kind. */
function joined(messages: readonly Message[]): Message {
  const [first] = messages
  if (messages.length === 1) return first!
  const bytes = Buffer.concat(messages.map((message) => Buffer.from(message)))
  return typeof first === 'string' ? bytes.toString() : bytes
}
