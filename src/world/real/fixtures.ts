import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { generate } from 'selfsigned'
import { onTestFinished } from 'vitest'
import type { ServerHandlers, Sockets, WebSocketEvents } from '../sockets.ts'
import { serve } from './server.ts'

/** A folder that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(`${tmpdir()}/understudy-test-`)
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A certificate for 127.0.0.1 that nobody has signed. */
export async function certificate(): Promise<{ key: string; cert: string }> {
  const extensions = [{ name: 'subjectAltName' as const, altNames: [{ type: 7 as const, ip: '127.0.0.1' }] }]
  const made = await generate([{ name: 'commonName', value: '127.0.0.1' }], { keyType: 'ec', extensions })
  return { key: made.private, cert: made.cert }
}

/** A server of these handlers; what isn't given answers 404, or ignores. Its address is without the scheme. */
export async function serving(
  handlers: Partial<ServerHandlers>,
  tls?: { key: string; cert: string }
): Promise<{ address: string; close: Awaited<ReturnType<Sockets['serve']>>['close'] }> {
  const all: ServerHandlers = {
    request: async () => ({ status: 404, body: '' }),
    connected: () => ({ message() {}, pong() {}, closed() {}, ping: () => true }),
    ...handlers
  }
  const server = await serve({ host: '127.0.0.1', port: 0, ...(tls && { tls }) }, all)
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= server.close()
    return closed
  }
  onTestFinished(close)
  return { address: `127.0.0.1:${server.port}`, close }
}

interface ProxyOptions {
  /** Spoken with who asks. */
  readonly tls?: { readonly key: string; readonly cert: string }
  /** `user:password`, without which it answers 407. */
  readonly login?: string
  /** Where it connects to, whatever it is asked for: an interceptor. */
  readonly instead?: string
}

/** A proxy that knows CONNECT only, or refuses everything with `refusal`, or with `null` never answers. */
export async function proxying(
  refusal?: number | null,
  { tls, login, instead }: ProxyOptions = {}
): Promise<{ url: string; targets: string[]; open: Set<Socket> }> {
  const notThus: RequestListener = (_, response) => response.writeHead(405).end()
  const server = tls ? createSecureServer(tls, notThus) : createServer(notThus)
  server.on('tlsClientError', () => {})
  const isLogin = (header = ''): boolean =>
    login === undefined || header === `Basic ${Buffer.from(login).toString('base64')}`
  const targets: string[] = []
  // A server of HTTP leaves it half open.
  server.on('connection', (socket: Socket) => void socket.once('end', () => socket.end()))
  server.on('connect', (request, socket: Socket) => {
    targets.push(request.url ?? '')
    if (refusal === null) return socket.resume()
    socket.on('error', () => {})
    const status = isLogin(request.headers['proxy-authorization']) ? refusal : 407
    if (status) return socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    const { hostname, port } = new URL(`tcp://${instead ?? request.url}`)
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.on('error', () => socket.destroy())
    socket.once('close', () => onward.destroy())
  })
  const { port, open } = await listening(server)
  return { url: `http${tls ? 's' : ''}://127.0.0.1:${port}`, targets, open }
}

/** A TCP server that speaks as it is told; gives its port. */
export async function speaking(speak: (socket: Socket) => void): Promise<number> {
  const { port } = await listening(createTcpServer(speak))
  return port
}

/** Lets a server listen on 127.0.0.1; gives its port, and who is connected. Gone with them after the test. */
export async function listening(server: Server): Promise<{ port: number; open: Set<Socket> }> {
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('error', () => {}).once('close', () => open.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { port: (server.address() as AddressInfo).port, open }
}

/** Events as a list that can be waited on: `await log.until('closed')` gives the first of that name. */
export function eventLog(): {
  events: WebSocketEvents
  seen: unknown[][]
  until(name: string, count?: number): Promise<unknown[]>
} {
  const seen: unknown[][] = []
  const waiting: Array<() => void> = []
  const note =
    (name: string) =>
    (...args: unknown[]) => {
      seen.push([name, ...args])
      for (const check of [...waiting]) check()
    }
  const names = ['opened', 'message', 'ping', 'pong', 'closed']
  return {
    events: Object.fromEntries(names.map((name) => [name, note(name)])) as unknown as WebSocketEvents,
    seen,
    until: (name, count = 1) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = seen.filter(([other]) => other === name)[count - 1]
          if (found) resolve(found)
        }
        waiting.push(check)
        check()
      })
  }
}
