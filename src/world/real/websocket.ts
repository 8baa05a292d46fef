import { WebSocket } from 'ws'
import { systemCode } from '../../errors.ts'
import type { WebSocketConnection, WebSocketEvents, WebSocketOptions } from '../sockets.ts'
import { faultOf } from './dates.ts'
import { flatHeaders } from './message.ts'
import { takeRoute } from './route.ts'

/**
 * Opens a websocket. A payload is usually a view onto the read it came in: whoever keeps it keeps that read, which is
 * at most 64 kB.
 */
export function connect(url: string, options: WebSocketOptions, events: WebSocketEvents): WebSocketConnection {
  const ending = new AbortController()
  const timer = setTimeout(() => end('TIMEOUT'), options.handshakeTimeoutMs)
  let failure: string | undefined
  let reading: { readableLength: number } | undefined
  let partial = 0
  let whole = false

  const closed = (code: number): void => {
    clearTimeout(timer)
    events.closed(code, failure)
  }
  /** Without the closing handshake, for which ws would wait. What ended it first is the reason. */
  const end = (error?: string): void => {
    if (ending.signal.aborted) return
    failure = error
    ending.abort()
    ws?.terminate()
  }
  const ws = open()

  function open(): WebSocket | undefined {
    const settings = {
      perMessageDeflate: false,
      maxPayload: options.maxPayloadBytes,
      skipUTF8Validation: true, // bytes are kept as they come
      closeTimeout: 1000,
      highWaterMark: 1, // a paused socket stops at its first read, instead of waking up for each until 64 kB are there
      ...takeRoute(url, options, ending.signal)
    }
    try {
      return new WebSocket(url, settings)
    } catch (error) {
      // A bad URL or certificate.
      failure = systemCode(error) ?? 'ERR_INVALID_URL'
      setImmediate(closed, 1006)
      return undefined
    }
  }

  ws?.once('upgrade', (answer) => {
    const fault = faultOf(answer, options)
    if (fault) return end(fault)
    ws.once('open', () => {
      clearTimeout(timer)
      reading = answer.socket
      // Comes after ws has taken the same bytes.
      answer.socket.on('data', (chunk: Buffer) => {
        partial = whole ? 0 : partial + chunk.length
        whole = false
        if (partial > 0) events.part?.()
      })
      events.opened(flatHeaders(answer.headers))
    })
  })
  ws?.on('message', (payload: Buffer, binary) => {
    whole = true
    events.message(payload, binary)
  })
  ws?.on('ping', (payload) => {
    partial -= CONTROL_HEADER_BYTES + payload.length
    events.ping()
  })
  ws?.on('pong', (payload) => {
    partial -= CONTROL_HEADER_BYTES + payload.length
    events.pong(payload)
  })
  ws?.once('unexpected-response', (_, answer) => end(faultOf(answer, options) ?? `HTTP_${answer.statusCode}`))
  ws?.on('error', (error) => end(nameOf(error)))
  ws?.once('close', closed)

  const isOpen = (): boolean => ws?.readyState === WebSocket.OPEN
  return {
    send: (payload) => void (isOpen() && ws?.send(payload)),
    ping: (payload) => void (isOpen() && ws?.ping(payload)),
    pause: () => ws?.pause(),
    resume: () => ws?.resume(),
    partialBytes: () => Math.max(0, partial) + (reading?.readableLength ?? 0),
    terminate: () => end()
  }
}

const CONTROL_HEADER_BYTES = 2

function nameOf(error: Error): string {
  const code = systemCode(error)
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || code === 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH')
    return 'MESSAGE_TOO_BIG'
  // Without a code: a 101 that is not a websocket's.
  return code === undefined || code.startsWith('WS_ERR_') ? 'BAD_FRAME' : code
}
