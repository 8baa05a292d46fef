import { createSecretKey, type KeyObject } from 'node:crypto'
import type { ServerConnection, ServerHandlers } from '../../world/sockets.ts'
import { sleep } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { type Answer, answerAccess, type Request } from './access.ts'
import { Admission } from './admission.ts'
import { Client, type Rights } from './client.ts'
import { type CredentialFiles, credentialFiles, issueToken, type TokenOrder, topicOf } from './credentials.ts'
import { Hub, type TopicCounts } from './hub.ts'
import type { RelayPeer } from './peer.ts'
import { noTraps, type Traps } from './traps.ts'

const LARGEST_MESSAGE_BYTES = 10 * 1024 * 1024

export interface RelayOptions {
  readonly secret: string
  /** Where it listens, and its name in its URLs. Default: 127.0.0.1 */
  readonly host?: string
  /** Its name in its URLs, where those who come from elsewhere know it by another. */
  readonly name?: string
  /** Two ports, as the real one has. Default: free ones, kept over `stop` and `start`. */
  readonly accessPort?: number
  readonly relayPort?: number
  /** PEM; with it, it is https and wss. */
  readonly tls?: { readonly key: string; readonly cert: string }
  readonly traps?: Partial<Traps>
}

/**
 * A relay like practable's, with traps to be set. Beside the real one's paths its relay port offers what a local host
 * process does: `/ws/{stream}` without a code, and `GET /api/destinations/all`.
 */
export class SimulatedRelay implements RelayPeer {
  readonly secret: string
  /** The same, made ready once. */
  readonly #key: KeyObject
  readonly #world: World
  readonly #options: RelayOptions
  readonly #hub = new Hub()
  readonly #host: string
  readonly #name: string
  readonly #streamTraps = new Map<string, Partial<Traps>>()
  readonly #issued = new Map<string, CredentialFiles>()
  #traps: Traps
  #admission = new Admission()
  #accessPort: number
  #relayPort: number
  #servers: Array<{ close(): Promise<void> }> = []

  constructor(world: World, options: RelayOptions) {
    this.#world = world
    this.#options = options
    this.secret = options.secret
    this.#key = createSecretKey(options.secret, 'utf8')
    this.#host = options.host ?? '127.0.0.1'
    this.#name = options.name ?? this.#host
    this.#accessPort = options.accessPort ?? 0
    this.#relayPort = options.relayPort ?? 0
    this.#traps = { ...noTraps, ...options.traps }
  }

  get accessUrl(): string {
    return `${this.#options.tls ? 'https' : 'http'}://${this.#name}:${this.#accessPort}`
  }

  get relayUrl(): string {
    return `${this.#options.tls ? 'wss' : 'ws'}://${this.#name}:${this.#relayPort}`
  }

  /** The plain websocket of a stream, as a local host process offers it. */
  hostUrl(stream: string): string {
    return `${this.relayUrl}/ws/${stream}`
  }

  async start(): Promise<void> {
    const { sockets } = this.#world
    const at = { host: this.#host, ...(this.#options.tls && { tls: this.#options.tls }) }
    const handlers: Pick<ServerHandlers, 'connected'> = { connected: (connection) => this.#connected(connection) }
    const access = await sockets.serve(
      { ...at, port: this.#accessPort },
      { ...handlers, request: (request) => this.#access(request) }
    )
    this.#servers.push(access)
    this.#accessPort = access.port
    const relay = await sockets.serve(
      { ...at, port: this.#relayPort },
      { ...handlers, request: async (request) => this.#plain(request) }
    )
    this.#servers.push(relay)
    this.#relayPort = relay.port
  }

  async stop(): Promise<void> {
    this.drop()
    await Promise.all(this.#servers.map((server) => server.close()))
    this.#servers = []
    this.#admission = new Admission()
  }

  /** Sets traps, for all streams or for one; the others stay as they are. */
  trap(traps: Partial<Traps>, stream?: string): void {
    if (stream === undefined) this.#traps = { ...this.#traps, ...traps }
    else this.#streamTraps.set(topicOf(stream), { ...this.#streamTraps.get(topicOf(stream)), ...traps })
  }

  /** Takes all traps away. */
  untrap(): void {
    this.#traps = noTraps
    this.#streamTraps.clear()
  }

  /** Ends the connections of a stream, or all, without a close frame. */
  drop(stream?: string): void {
    for (const client of this.#clients(stream)) client.end()
  }

  /** Makes the connections of a stream, or all, half-open: they stay, and nothing is read or answered any more. */
  freeze(stream?: string): void {
    for (const client of this.#clients(stream)) client.freeze()
  }

  /** Denies the booking of a stream's token: its connections end, a new code is refused. */
  deny(stream: string): void {
    this.#admission.deny(bookingOf(topicOf(stream)))
    this.#dropBooking(bookingOf(topicOf(stream)))
  }

  allow(stream: string): void {
    this.#admission.allow(bookingOf(topicOf(stream)))
  }

  /** Gives everyone on a stream a message, as if somebody else there had just sent it. */
  say(stream: string, message: string): void {
    this.#hub.fanOut(topicOf(stream), message)
  }

  counts(stream: string): TopicCounts {
    return { ...this.#hub.counts(topicOf(stream)) }
  }

  /** How many are on a stream. */
  connections(stream: string): number {
    return this.#clients(stream).length
  }

  issueToken(order: Omit<TokenOrder, 'secret' | 'audience' | 'nowMs'>): string {
    return issueToken({ ...this.#order(), ...order })
  }

  /** The two files for a stream. */
  credentials(stream: string, order: Partial<TokenOrder> = {}): CredentialFiles {
    const files = credentialFiles(stream, { ...this.#order(), ...order })
    this.#issued.set(stream, files)
    return files
  }

  #order(): Pick<TokenOrder, 'secret' | 'audience' | 'nowMs'> {
    return { secret: this.secret, audience: this.accessUrl, nowMs: this.#nowMs() }
  }

  #clients(stream: string | undefined): Client[] {
    return this.#hub.clients(stream === undefined ? undefined : topicOf(stream))
  }

  #trapsOf(topic: string): Traps {
    return { ...this.#traps, ...this.#streamTraps.get(topic) }
  }

  #nowMs(): number {
    return Math.floor(this.#world.clock.wallUs() / 1000)
  }

  async #access(request: Request): Promise<Answer | undefined> {
    const traps = this.#trapsOf(/^\/session\/([^/?]+)/.exec(request.url)?.[1] ?? '')
    if (traps.delayMs > 0) await sleep(this.#world.timers, traps.delayMs)
    if (traps.noAnswer) return undefined
    const answer = trapped(traps) ?? answerAccess(this.#context(traps), request)
    const date = new Date(this.#nowMs() + traps.dateOffsetMs).toUTCString()
    return answer && { ...answer, headers: { ...answer.headers, date } }
  }

  #context(traps: Traps): Parameters<typeof answerAccess>[0] {
    return {
      world: this.#world,
      // Codes kept where nobody looks for them are bad codes.
      admission: traps.badCodes ? new Admission() : this.#admission,
      key: this.#key,
      audience: this.accessUrl,
      relayUrl: this.relayUrl,
      dropBooking: (booking) => this.#dropBooking(booking)
    }
  }

  #dropBooking(booking: string): void {
    for (const client of this.#hub.clients()) if (client.rights.booking === booking) client.end()
  }

  /** What a browser sees that asks the relay's port for a page. */
  #plain(request: Request): Answer {
    if (request.url === '/api/destinations/all') {
      const rules = [...this.#issued].map(([stream, { accessUrl, token }]) => {
        return [stream, { id: stream, stream: `ws/${stream}`, destination: accessUrl, token, file: '' }]
      })
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(Object.fromEntries(rules))
      }
    }
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
    return request.url.startsWith('/session/')
      ? { status: 400, headers, body: 'Bad Request\n' }
      : { status: 404, headers, body: 'Not Found\n' }
  }

  #connected(connection: ServerConnection): ReturnType<ServerHandlers['connected']> {
    const rights = this.#admit(connection.url)
    // A bad code: it stays open and hears nothing, not even a pong.
    if (rights === undefined) return { message() {}, pong() {}, closed() {}, ping: () => false }
    const { topic } = rights
    const client = new Client(this.#world, connection, rights, this.#hub.counts(topic), () => this.#trapsOf(topic))
    this.#hub.join(client)
    return {
      message: (payload, binary) => {
        if (payload.length > LARGEST_MESSAGE_BYTES) client.end()
        else if (rights.canWrite) this.#hub.fanOut(topic, binary ? payload : payload.toString(), client)
      },
      pong: () => client.pong(),
      ping: () => true,
      closed: () => {
        client.closed()
        this.#hub.leave(client)
      }
    }
  }

  #admit(target: string): Rights | undefined {
    const url = new URL(target, this.relayUrl)
    const host = /^\/ws\/([^/]+)$/.exec(url.pathname)?.[1]
    if (host !== undefined) {
      const topic = topicOf(host)
      if (this.#trapsOf(topic).silent) return undefined
      return { topic, booking: '', canRead: true, canWrite: true, expiresMs: Number.POSITIVE_INFINITY }
    }
    const topic = /^\/session\/([^?]+?)\/?$/.exec(url.pathname)?.[1]
    if (topic === undefined || this.#trapsOf(topic).silent) return undefined
    const pass = this.#admission.exchange(url.searchParams.get('code') ?? '', topic, this.#nowMs())
    if (pass === undefined) return undefined
    const [canRead, canWrite] = ['read', 'write'].map((scope) => pass.scopes.includes(scope))
    if (!canRead && !canWrite) return undefined
    return { topic, booking: pass.booking, canRead: !!canRead, canWrite: !!canWrite, expiresMs: pass.exp * 1000 }
  }
}

function trapped({ refuse, portal }: Traps): Answer | undefined {
  if (refuse !== undefined) {
    const { status, body, contentType = 'application/json' } = refuse
    return { status, body, headers: { 'content-type': contentType } }
  }
  const page = '<!doctype html><title>Welcome</title><p>Please sign in to use this network.'
  return portal ? { status: 200, body: page, headers: { 'content-type': 'text/html; charset=utf-8' } } : undefined
}

function bookingOf(topic: string): string {
  return `booking-${topic}`
}
