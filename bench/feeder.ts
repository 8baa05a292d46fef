/**
 * Stands where a local relay host stands, in a process of its own: `ws://127.0.0.1:PORT/ws/<stream>`, to which every
 * client of a stream gets that stream's messages. Run by `harness/feeder.ts`, which tells it what to send.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { inTurn, spinners } from './messages.ts'

/** Messages at a pace, over all streams: evenly spaced and the streams in turn, or at random moments, as people do. */
export interface PacedFeed {
  readonly kind: 'even' | 'random'
  readonly perSecond: number
  readonly seconds: number
}

/** What is to be sent; `saturate`: as fast as it is taken. */
export type Feed = PacedFeed | { readonly kind: 'saturate'; readonly messages: number }

export type ToFeeder = { readonly prepare: Feed } | { readonly go: true }
export type FromFeeder =
  | { readonly port: number }
  | { readonly connected: number }
  | { readonly ready: true }
  /** How much each client of all streams together was sent. */
  | { readonly fed: { messages: number; bytes: number } }

interface Client {
  readonly socket: WebSocket
  readonly wire: Duplex
}

const [streamCount = '12', seed = '1'] = process.argv.slice(2)
const streams = spinners(Number(streamCount))
const clients = streams.map(() => new Set<Client>())
const tell = (message: FromFeeder): void => void process.send?.(message)

/** A generator of numbers in (0, 1], the same for the same seed (Lehmer's). */
function seeded(start: number): () => number {
  let state = (start % 2147483646) + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

const random = seeded(Number(seed))
let round = 0

function send(stream: number, payload: Buffer): void {
  for (const { socket } of clients[stream]!) socket.send(payload, { binary: false })
}

/** Sends each message at its time; `gapMs` is the time from one to the next. */
async function paced(count: number, gapMs: () => number): Promise<{ messages: number; bytes: number }> {
  let bytes = 0
  let due = performance.now()
  for (const [stream, payload] of inTurn({ seed: Number(seed) + round++, streams, count })) {
    due += gapMs()
    const wait = due - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    send(stream, payload)
    bytes += payload.length
  }
  return { messages: count, bytes }
}

/** A whole unmasked text frame, for writing many at once. */
function frame(payload: Buffer): Buffer {
  const header =
    payload.length < 126
      ? Buffer.of(0x81, payload.length)
      : payload.length < 65536
        ? Buffer.of(0x81, 126, payload.length >> 8, payload.length & 255)
        : Buffer.concat([Buffer.of(0x81, 127, 0, 0, 0, 0), Buffer.alloc(4)])
  if (header.length === 10) header.writeUInt32BE(payload.length, 6)
  return Buffer.concat([header, payload])
}

/** Frames of each stream in pieces of about 64 kB, made before anything is measured. */
function pieces(count: number): { perStream: Buffer[][]; bytes: number } {
  const perStream: Buffer[][] = streams.map(() => [])
  const open: Buffer[][] = streams.map(() => [])
  let bytes = 0
  for (const [stream, payload] of inTurn({ seed: Number(seed) + round++, streams, count })) {
    bytes += payload.length
    open[stream]!.push(frame(payload))
    if (open[stream]!.length === 256) perStream[stream]!.push(Buffer.concat(open[stream]!.splice(0)))
  }
  for (const [stream, rest] of open.entries()) if (rest.length > 0) perStream[stream]!.push(Buffer.concat(rest))
  return { perStream, bytes }
}

async function pour(wire: Duplex, all: Buffer[]): Promise<void> {
  for (const piece of all) if (!wire.write(piece)) await once(wire, 'drain')
}

async function prepare(feed: Feed): Promise<() => Promise<{ messages: number; bytes: number }>> {
  if (feed.kind === 'saturate') {
    const { perStream, bytes } = pieces(feed.messages)
    return async () => {
      const wires = clients.flatMap((some, stream) => [...some].map(({ wire }) => pour(wire, perStream[stream]!)))
      await Promise.all(wires)
      return { messages: feed.messages, bytes }
    }
  }
  const count = Math.round(feed.perSecond * feed.seconds)
  const gapMs = 1000 / feed.perSecond
  return () => paced(count, feed.kind === 'even' ? () => gapMs : () => -Math.log(random()) * gapMs)
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
const connected = (): void => tell({ connected: clients.reduce((sum, some) => sum + some.size, 0) })
server.on('connection', (socket, request) => {
  const some = clients[streams.indexOf((request.url ?? '').replace(/^\/ws\//, ''))]
  if (!some) return socket.close()
  const client = { socket, wire: request.socket }
  request.socket.setNoDelay(true)
  some.add(client)
  connected()
  socket.on('close', () => {
    some.delete(client)
    connected()
  })
})
await once(server, 'listening')

let prepared: (() => Promise<{ messages: number; bytes: number }>) | undefined
process.on('message', async (message: ToFeeder) => {
  if ('prepare' in message) {
    prepared = await prepare(message.prepare)
    tell({ ready: true })
  } else if (prepared) {
    tell({ fed: await prepared() })
  }
})
process.on('disconnect', () => process.exit())
tell({ port: (server.address() as { port: number }).port })
