import { codeUrl, credentialsOf } from '../../../src/sim/relay/join.ts'
import type { RelayPeer } from '../../../src/sim/relay/peer.ts'
import type { WebSocketConnection } from '../../../src/world/sockets.ts'
import type { Us } from '../../../src/world/time.ts'
import { world } from './relays.ts'

export interface Said {
  readonly text: string
  /** Wall time at which it was handed to the relay. */
  readonly atUs: Us
}

/** More at once would overrun the relay's queue of 128 messages for each client. */
const AT_ONCE = 30

/** Somebody who speaks on a stream, and a listener beside who tells when the relay has passed it on. */
export class Speaker {
  readonly said: Said[] = []
  readonly #sender: WebSocketConnection
  #sentBytes = 0
  #passedOnBytes = 0
  #passedOn = (): void => {}

  static async join(relay: RelayPeer, stream: string): Promise<Speaker> {
    let received = (_payload: Buffer): void => {}
    await connect(relay, stream, (payload) => received(payload))
    const speaker = new Speaker(await connect(relay, stream, () => {}))
    received = (payload) => {
      speaker.#passedOnBytes += payload.length
      speaker.#passedOn()
    }
    return speaker
  }

  private constructor(sender: WebSocketConnection) {
    this.#sender = sender
  }

  /** Resolves when the relay has passed on all of it. */
  async say(messages: readonly (string | Buffer)[]): Promise<void> {
    for (let at = 0; at < messages.length; at += AT_ONCE) {
      for (const message of messages.slice(at, at + AT_ONCE)) {
        this.said.push({ text: message.toString(), atUs: world.clock.wallUs() })
        this.#sentBytes += Buffer.byteLength(message)
        this.#sender.send(message)
      }
      await new Promise<void>((resolve) => {
        this.#passedOn = () => this.#passedOnBytes >= this.#sentBytes && resolve()
        this.#passedOn()
      })
    }
  }
}

/** Resolves when the relay hears it. It is gone when the relay is. */
async function connect(
  relay: RelayPeer,
  stream: string,
  received: (payload: Buffer) => void
): Promise<WebSocketConnection> {
  const url = await codeUrl(world, credentialsOf(world, relay, stream))
  return new Promise((resolve, reject) => {
    const connection = world.sockets.connect(
      url,
      { handshakeTimeoutMs: 10_000, maxPayloadBytes: 64 * 1024 * 1024 },
      {
        opened: () => connection.ping(Buffer.of(1)),
        pong: () => resolve(connection),
        message: received,
        ping() {},
        closed: () => reject(new Error(`the connection to ${stream} ended`))
      }
    )
  })
}
