import type {
  HttpAnswer,
  HttpListener,
  HttpRequest,
  ListenOptions,
  LocalAnswer,
  LocalRequest,
  ServerHandlers,
  Sockets,
  WebSocketConnection,
  WebSocketEvents,
  WebSocketOptions
} from '../../world/sockets.ts'
import type { Disk } from './disk.ts'
import { locate } from './files.ts'
import { request } from './http.ts'
import { answererOf } from './listen.ts'
import { askLocal, serveLocal } from './local.ts'
import type { Machine } from './machine.ts'
import { isLoopback, type Listener } from './network.ts'
import type { Process } from './process.ts'
import { systemError } from './system-error.ts'
import { SimulatedWebSocket } from './websocket.ts'

/** Sockets on the simulated network. https and wss are as if verified; proxies and certificates are not looked at. */
export class SimulatedSockets implements Sockets {
  readonly #process: Process
  readonly #machine: Machine
  readonly #mounts: ReadonlyMap<string, Disk>

  constructor(process: Process, machine: Machine, mounts: ReadonlyMap<string, Disk>) {
    this.#process = process
    this.#machine = machine
    this.#mounts = mounts
  }

  request(url: string, asked: HttpRequest): Promise<HttpAnswer> {
    return request(this.#process, this.#machine, url, asked)
  }

  connect(url: string, options: WebSocketOptions, events: WebSocketEvents): WebSocketConnection {
    return new SimulatedWebSocket(this.#process, this.#machine, url, options, events)
  }

  async serve(
    options: { host: string; port: number; tls?: { key: string; cert: string } },
    handlers: ServerHandlers
  ): Promise<{ port: number; close(): Promise<void> }> {
    const { network } = this.#process.simulation
    const listener: Listener = {
      process: this.#process,
      machine: this.#machine,
      localOnly: isLoopback(options.host),
      handlers,
      connections: new Set()
    }
    const port = await this.#process.io(0, () => {
      const free = network.listen(options.port, listener)
      if (free === undefined) throw systemError('EADDRINUSE', 'listen', `${options.host}:${options.port}`)
      return free
    })
    const unlisten = (): void => network.unlisten(this.#machine, port)
    const forget = this.#process.atEnd(unlisten)
    return {
      port,
      close: () =>
        this.#process.io(0, () => {
          forget()
          unlisten()
          for (const connection of [...listener.connections]) connection.terminate()
        })
    }
  }

  listen({ host, port }: ListenOptions, listener: HttpListener): Promise<{ port: number; close(): Promise<void> }> {
    return this.serve({ host, port }, answererOf(this.#process, listener))
  }

  serveLocal(path: string, answer: (asked: LocalRequest) => Promise<LocalAnswer>): Promise<{ close(): Promise<void> }> {
    return serveLocal(this.#process, this.#machine, locate(this.#mounts, path), path, answer)
  }

  askLocal(
    path: string,
    asked: { method: 'GET' | 'POST'; path: string; body?: AsyncIterable<Uint8Array> }
  ): Promise<{ status: number; body: AsyncIterable<Buffer> }> {
    return askLocal(this.#process, this.#machine, locate(this.#mounts, path), path, asked)
  }
}
