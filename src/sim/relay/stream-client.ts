import type { Route, WebSocketConnection } from '../../world/sockets.ts'
import { sleep } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { codeUrl, credentialsOf } from './join.ts'
import type { RelayPeer } from './peer.ts'

const HANDSHAKE_MS = 10_000
const REJOIN_MS = 1000

/** Somebody on a stream of a relay, simulated or real, as a lab page or the primary is. It joins again when its connection ends. */
export class StreamClient {
  readonly stream: string
  readonly #world: World
  readonly #relay: RelayPeer
  readonly #route: Route
  readonly #received: (frame: Buffer) => void
  #connection: WebSocketConnection | undefined
  readonly #left = new AbortController()

  /** @param received told of each frame as it comes */
  constructor(
    world: World,
    relay: RelayPeer,
    stream: string,
    received: (frame: Buffer) => void = () => {},
    route: Route = {}
  ) {
    this.stream = stream
    this.#world = world
    this.#relay = relay
    this.#received = received
    this.#route = route
  }

  /** Resolves when it is on its stream, and the relay hears it. Rejects when the relay refuses it. */
  async join(): Promise<void> {
    const url = await codeUrl(this.#world, credentialsOf(this.#world, this.#relay, this.stream), this.#route)
    if (this.#left.signal.aborted) return
    await new Promise<void>((resolve, reject) => {
      const connection = this.#world.sockets.connect(
        url,
        { ...this.#route, handshakeTimeoutMs: HANDSHAKE_MS, maxPayloadBytes: 64 * 1024 * 1024 },
        {
          opened: () => {
            this.#connection = connection
            // Its pong says that what others send from now on is passed on to it.
            connection.ping(Buffer.of(1))
          },
          message: (payload) => this.#received(payload),
          ping() {},
          pong: () => resolve(),
          closed: (code, error) => {
            reject(new Error(`the connection to ${this.stream} ended: ${error ?? code}`))
            if (this.#connection !== connection) return
            this.#connection = undefined
            void this.#rejoin()
          }
        }
      )
      this.#left.signal.addEventListener('abort', () => connection.terminate())
    })
  }

  /** False without a connection: then it is lost, as it is in a browser. */
  send(text: string): boolean {
    this.#connection?.send(text)
    return this.#connection !== undefined
  }

  leave(): void {
    this.#connection = undefined
    this.#left.abort()
  }

  async #rejoin(): Promise<void> {
    while (this.#connection === undefined && !this.#left.signal.aborted) {
      await sleep(this.#world.timers, REJOIN_MS, this.#left.signal)
      if (this.#left.signal.aborted) return
      // Refused or unreachable: tried again.
      await this.join().catch(() => {})
    }
  }
}
