import type { ServerConnection, WebSocketConnection, WebSocketEvents, WebSocketOptions } from '../../world/sockets.ts'
import { End, type Frame } from './link.ts'
import type { Machine } from './machine.ts'
import type { Listener } from './network.ts'
import type { Process } from './process.ts'

/** A websocket's client end on the simulated network. */
export class SimulatedWebSocket implements WebSocketConnection {
  readonly #process: Process
  readonly #options: WebSocketOptions
  readonly #events: WebSocketEvents
  readonly #deadline: { cancel(): void }
  #end: End | undefined
  #opened = false
  #paused = false
  #finished = false

  constructor(process: Process, machine: Machine, url: string, options: WebSocketOptions, events: WebSocketEvents) {
    const { simulation } = process
    const { network } = simulation
    this.#process = process
    this.#options = options
    this.#events = events
    this.#deadline = simulation.schedule(options.handshakeTimeoutMs * 1000, () =>
      process.deliver('timer', () => this.#fail('TIMEOUT'))
    )
    const target = new URL(url)
    const server = network.find(machine, target)
    if (server === undefined) return
    if (typeof server === 'string') {
      simulation.schedule(network.latencyUs[0], () => process.deliver('input', () => this.#finish(server)))
      return
    }
    network.carry(machine, server.machine, server.process, () => {
      if (this.#finished || !process.alive) return
      this.#end = new End(process, machine)
      this.#end.events = {
        begun: (frame) => this.#begun(frame),
        frame: (frame) => this.#frame(frame),
        closed: (error) => this.#finish(error)
      }
      if (this.#paused) this.#end.pause()
      accept(server, this.#end, target.pathname + target.search)
    })
  }

  send(payload: Uint8Array | string): void {
    this.#send({ kind: typeof payload === 'string' ? 'text' : 'binary', payload: Buffer.from(payload as string) })
  }

  ping(payload: Uint8Array): void {
    this.#send({ kind: 'ping', payload: Buffer.from(payload) })
  }

  pause(): void {
    this.#paused = true
    this.#end?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#end?.resume()
  }

  partialBytes(): number {
    return this.#end?.partialBytes ?? 0
  }

  terminate(): void {
    if (this.#finished) return
    this.#end?.close()
    this.#process.simulation.schedule(0, () => this.#process.deliver('input', () => this.#finish()))
  }

  #send(frame: Frame): void {
    if (this.#opened) this.#end?.send(frame)
  }

  #begun(frame: Frame): boolean {
    if (frame.payload.length <= this.#options.maxPayloadBytes) return true
    this.#fail('MESSAGE_TOO_BIG')
    return false
  }

  #frame({ kind, payload }: Frame): void {
    if (kind === 'open') {
      this.#opened = true
      this.#deadline.cancel()
      this.#events.opened({ upgrade: 'websocket', connection: 'Upgrade' })
    } else if (kind === 'ping') {
      this.#end?.send({ kind: 'pong', payload })
      this.#events.ping()
    } else if (kind === 'pong') this.#events.pong(payload)
    else this.#events.message(payload, kind === 'binary')
  }

  #fail(error: string): void {
    this.#end?.close()
    this.#finish(error)
  }

  #finish(error?: string): void {
    if (this.#finished) return
    this.#finished = true
    this.#deadline.cancel()
    this.#events.closed(1006, error)
  }
}

/** The server's end of a new connection. */
function accept(server: Listener, client: End, url: string): void {
  const { simulation } = server.process
  const end = new End(server.process, server.machine)
  simulation.network.join(client, end)
  const closed = (): void => {
    server.connections.delete(connection)
    told.closed()
  }
  const connection: ServerConnection = {
    url,
    send: (payload) =>
      end.send({ kind: typeof payload === 'string' ? 'text' : 'binary', payload: Buffer.from(payload as string) }),
    ping: (payload) => end.send({ kind: 'ping', payload: Buffer.from(payload) }),
    unsentBytes: () => end.unsentBytes,
    freeze: () => end.freeze(),
    terminate: () => {
      if (!end.isOpen) return
      end.close()
      simulation.schedule(0, () => server.process.deliver('input', closed))
    }
  }
  server.connections.add(connection)
  end.send({ kind: 'open', payload: Buffer.alloc(0) })
  const told = server.handlers.connected(connection)
  end.events = {
    begun: () => true,
    frame: ({ kind, payload }) => {
      if (kind === 'ping') {
        if (told.ping()) end.send({ kind: 'pong', payload })
      } else if (kind === 'pong') told.pong()
      else told.message(payload, kind === 'binary')
    },
    closed
  }
}
