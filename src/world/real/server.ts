import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { ServerHandlers, Sockets } from '../sockets.ts'
import { flatHeaders, readBody } from './message.ts'

const BODY_BYTES = 1024 * 1024
const MESSAGE_BYTES = 10 * 1024 * 1024

/** Serves HTTP and websockets. Bodies and messages that are too large (1 MB, 10 MB) end their connection. */
export const serve: Sockets['serve'] = async ({ host, port, tls }, handlers) => {
  const server = tls ? https.createServer(tls) : http.createServer()
  const sockets = new WebSocketServer({
    noServer: true,
    autoPong: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES,
    skipUTF8Validation: true
  })
  const connections = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.on('request', (request, response) => void answer(handlers, request, response))
  server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (ws) => attach(handlers, ws, request.url ?? '/'))
  })
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of connections) socket.destroy()
      await closed
    }
  }
}

async function answer(handlers: ServerHandlers, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { socket } = request // gone from the request once it has ended
  try {
    const { method = 'GET', url = '/' } = request
    const body = await readBody(request, BODY_BYTES)
    if (body.length > BODY_BYTES) throw new RangeError('too long')
    const headers = flatHeaders(request.headers)
    const given = await handlers.request({ method, url, headers, body: body.toString() })
    if (given) response.writeHead(given.status, given.headers).end(given.body)
    else socket.destroy()
  } catch {
    socket.destroy()
  }
}

function attach(handlers: ServerHandlers, ws: WebSocket, url: string): void {
  let frozen = false
  const told = handlers.connected({
    url,
    send: (payload) => void (frozen || ws.send(payload)),
    ping: (payload) => void (frozen || ws.ping(payload)),
    unsentBytes: () => ws.bufferedAmount, // includes what waits in the socket
    freeze() {
      frozen = true
      ws.pause()
    },
    terminate: () => ws.terminate()
  })
  ws.on('message', (payload: Buffer, binary) => void (frozen || told.message(payload, binary)))
  ws.on('pong', () => void (frozen || told.pong()))
  ws.on('ping', (payload) => {
    if (!frozen && told.ping()) ws.pong(payload)
  })
  ws.on('error', () => ws.terminate())
  ws.once('close', () => told.closed())
}
