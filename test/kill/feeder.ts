import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** Messages of a stream that one connection was sent, by their numbers. */
export interface Sent {
  readonly first: number
  last: number
}

/**
 * Speaks like a local relay host, under load: every stream gets a numbered message at each tick, whether somebody
 * listens or not, and each connection gets them from its first to its last without a hole.
 */
export class Feeder {
  readonly urls: readonly string[]
  readonly #server: WebSocketServer
  readonly #numbers = new Map<string, number>()
  readonly #clients = new Map<WebSocket, { stream: string; sent: Sent | undefined }>()
  readonly #connections = new Map<string, Sent[]>()
  readonly #timer: NodeJS.Timeout

  static async start(streams: readonly string[], perSecond: number): Promise<Feeder> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
    await once(server, 'listening')
    return new Feeder(server, streams, perSecond)
  }

  private constructor(server: WebSocketServer, streams: readonly string[], perSecond: number) {
    this.#server = server
    const { port } = server.address() as AddressInfo
    this.urls = streams.map((stream) => `ws://127.0.0.1:${port}/ws/${stream}`)
    for (const stream of streams) this.#connections.set(stream, [])
    server.on('connection', (socket, { url = '' }) => {
      this.#clients.set(socket, { stream: url.slice(url.lastIndexOf('/') + 1), sent: undefined })
      socket.on('close', () => this.#clients.delete(socket))
      socket.on('error', () => {})
    })
    this.#timer = setInterval(() => this.#tick(), 1000 / perSecond)
  }

  /** What each connection of a stream was sent, in order of the connections. */
  connections(stream: string): readonly Sent[] {
    return this.#connections.get(stream) ?? []
  }

  stop(): void {
    clearInterval(this.#timer)
    for (const socket of this.#clients.keys()) socket.terminate()
    this.#server.close()
  }

  #tick(): void {
    for (const stream of this.#connections.keys()) this.#numbers.set(stream, (this.#numbers.get(stream) ?? 0) + 1)
    for (const [socket, client] of this.#clients) {
      const number = this.#numbers.get(client.stream)!
      if (!client.sent) {
        client.sent = { first: number, last: number }
        this.#connections.get(client.stream)!.push(client.sent)
      }
      client.sent.last = number
      socket.send(message(client.stream, number), { binary: number % 5 === 0 })
    }
  }
}

/** The message of a stream with this number: always the same bytes, most of which compress badly. */
export function message(stream: string, number: number): Buffer {
  const noise = createHash('shake256', { outputLength: 1 + ((number * 37) % 900) })
    .update(`${stream} ${number}`)
    .digest('base64')
  return Buffer.from(JSON.stringify({ stream, number, noise }))
}
