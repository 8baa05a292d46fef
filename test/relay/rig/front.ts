import { onTestFinished } from 'vitest'
import { codeUrl, credentialsOf } from '../../../src/sim/relay/join.ts'
import type { RelayPeer } from '../../../src/sim/relay/peer.ts'
import type { HttpAnswer } from '../../../src/world/sockets.ts'
import { world } from './relays.ts'

/** Stands before a relay's access port: passes on what is asked for, or answers in the relay's place. */
export class Front {
  /** The relay's own answer may be changed, or not be asked for at all. */
  answer: (ask: () => Promise<HttpAnswer>) => Promise<HttpAnswer> = (ask) => ask()
  readonly url: string

  /** Gone after the test. */
  static async open(relay: RelayPeer, tls?: { key: string; cert: string }): Promise<Front> {
    const server = await world.sockets.serve(
      { host: '127.0.0.1', port: 0, ...(tls && { tls }) },
      {
        request: ({ url, headers }) =>
          front.answer(async () => {
            const { status, body } = await world.sockets.request(relay.accessUrl + url, {
              method: 'POST',
              headers: { authorization: headers['authorization'] ?? '' },
              timeoutMs: 10_000
            })
            return { status, body, headers: { 'content-type': 'application/json' } }
          }),
        connected: (connection) => {
          connection.terminate()
          return { message() {}, pong() {}, closed() {}, ping: () => false }
        }
      }
    )
    onTestFinished(() => server.close())
    const front = new Front(`${tls ? 'https' : 'http'}://127.0.0.1:${server.port}`)
    return front
  }

  private constructor(url: string) {
    this.url = url
  }
}

/** An answer with a code that was used already. */
export async function usedCode(relay: RelayPeer, stream: string): Promise<HttpAnswer> {
  const uri = await codeUrl(world, credentialsOf(world, relay, stream))
  await new Promise<void>((resolve, reject) => {
    const connection = world.sockets.connect(
      uri,
      { handshakeTimeoutMs: 10_000, maxPayloadBytes: 1000 },
      {
        opened: () => connection.ping(Buffer.of(1)),
        pong: () => {
          resolve()
          connection.terminate()
        },
        message() {},
        ping() {},
        closed: () => reject(new Error('the relay ended it'))
      }
    )
  })
  return { status: 200, headers: {}, body: JSON.stringify({ uri }) }
}
