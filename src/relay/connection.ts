import type { ErrorCode } from '../errors.ts'
import { UnderstudyError } from '../errors.ts'
import { networkError } from '../network.ts'
import type { Route, WebSocketConnection } from '../world/sockets.ts'
import type { Ms, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { isRefusal } from './backoff.ts'
import { askCode } from './code.ts'
import type { LossCause, RelayListener } from './listener.ts'
import type { StreamSource } from './source.ts'

/**
 * `asking` for a code → `opening` the websocket → `proving` that it is heard → `heard` → `ended`. A plain websocket
 * begins with `opening`. Any state may be followed by `ended`, which is the last.
 */
export type ConnectionState = 'asking' | 'opening' | 'proving' | 'heard' | 'ended'

export interface ConnectionOptions extends Omit<Route, 'judgeDates'> {
  /** A heard connection is pinged this often. */
  readonly pingIntervalMs: Ms
  /** Neither pong, ping nor message for this long means that the other side is gone. */
  readonly silenceMs: Ms
  readonly maxPayloadBytes: number
  readonly relayTime: RelayListener['relayTime']
  /**
   * Where this machine's clock was never right since it booted, the earliest that it can be: then the relay's own time
   * judges certificates, unless that is earlier. `undefined` where it was right.
   */
  readonly unknownSinceMs: () => Ms | undefined
  /** Called when a part of a frame has come, and after each frame: memory may have become short. */
  readonly received: () => void
}

/** Why a connection ended; `code` says more, where there is more to say. */
export interface Ending {
  readonly cause: LossCause
  readonly code?: ErrorCode
}

/** What a connection reports, each at the moment it happens. After `ended` nothing follows. */
export interface ConnectionEvents {
  /** The first pong, ping or message. */
  heard(): void
  /** A pong or ping; comes after `heard` when it is the first. `pong` is the number `ping` gave. */
  proof(pong?: number): void
  /** A frame; after `heard`. The buffer is the receiver's to keep. */
  frame(payload: Buffer, binary: boolean): void
  ended(ending: Ending): void
}

/** The relay answers within ms; a slow network within seconds. */
export const ANSWER_TIMEOUT_MS = 10_000
/** A good code's first pong comes at once; for a bad one nothing ever comes. */
const PROOF_TIMEOUT_MS = 5000

/** One connection's life, from asking for a code to its end. It has no timers of its own: `check` is to be called often. */
export class Connection {
  readonly #world: World
  readonly #source: StreamSource
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #closed: Promise<void>
  #resolveClosed: () => void = () => {}
  #state: ConnectionState
  #socket: WebSocketConnection | undefined
  #paused = false
  /** When it began to wait for what its state waits for, by the monotonic clock. */
  #waitingSinceUs: Us
  #pingedUs: Us = 0
  #pings = 0
  /** What the answer to the POST said just now. */
  #relayMs: Ms | undefined

  /** Begins at once. Nothing is reported before it has returned. */
  constructor(world: World, source: StreamSource, options: ConnectionOptions, events: ConnectionEvents) {
    this.#world = world
    this.#source = source
    this.#options = options
    this.#events = events
    this.#waitingSinceUs = world.clock.monoUs()
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    if (source.kind === 'code') {
      this.#state = 'asking'
      const relayTime: RelayListener['relayTime'] = (dateMs, tookMs, verified) => {
        if (verified) this.#relayMs = dateMs
        options.relayTime(dateMs, tookMs, verified)
      }
      askCode(world, source, { ...routeOf(options), timeoutMs: ANSWER_TIMEOUT_MS, relayTime }).then(
        (uri) => this.#state === 'asking' && this.#open(uri),
        (error) => this.#end(refused(error))
      )
    } else {
      this.#state = 'opening'
      this.#open(source.url)
    }
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Looks whether a ping is due or the patience with the other side is at its end. */
  check(): void {
    const nowUs = this.#world.clock.monoUs()
    const waitedMs = (nowUs - this.#waitingSinceUs) / 1000
    if (this.#state === 'proving' && waitedMs >= PROOF_TIMEOUT_MS) {
      const isCode = this.#source.kind === 'code'
      this.#end(
        isCode
          ? { cause: 'refused', code: 'UNDERSTUDY_RELAY_CODE_REFUSED' }
          : { cause: 'silent', code: 'UNDERSTUDY_RELAY_SILENT' }
      )
    } else if (this.#state === 'heard' && waitedMs >= this.#options.silenceMs) {
      this.#end({ cause: 'silent', code: 'UNDERSTUDY_RELAY_SILENT' })
    } else if (this.#state === 'heard' && nowUs - this.#pingedUs >= this.#options.pingIntervalMs * 1000) {
      this.ping()
    }
  }

  /** What came while this process did not look does not count as the other side's silence: the wait begins anew. */
  excuse(): void {
    this.#waitingSinceUs = this.#world.clock.monoUs()
  }

  /** Sends a ping now; gives the number that its pong will bring. */
  ping(): number {
    this.#pingedUs = this.#world.clock.monoUs()
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(++this.#pings)
    this.#socket?.ping(payload)
    return this.#pings
  }

  /** Sends a text message; false when it is not heard, then nothing was sent. */
  send(payload: string): boolean {
    if (this.#state !== 'heard') return false
    this.#socket?.send(payload)
    return true
  }

  /** Stops reading; before the websocket is open, it opens paused. */
  pause(): void {
    this.#paused = true
    if (this.#isOpen()) this.#socket?.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#isOpen()) this.#socket?.resume()
  }

  partialBytes(): number {
    return this.#socket?.partialBytes() ?? 0
  }

  /** Ends it now, reported as `stopped`; resolves when the socket is closed too. */
  stop(): Promise<void> {
    this.#end({ cause: 'stopped' })
    return this.#closed
  }

  #open(url: string): void {
    this.#state = 'opening'
    this.#socket = this.#world.sockets.connect(
      url,
      {
        ...routeOf(this.#options, this.#relayMs),
        handshakeTimeoutMs: ANSWER_TIMEOUT_MS,
        maxPayloadBytes: this.#options.maxPayloadBytes
      },
      {
        opened: () => {
          if (this.#state !== 'opening') return
          this.#state = 'proving'
          if (this.#paused) this.#socket?.pause()
          this.excuse()
          this.ping()
        },
        message: (payload, binary) => {
          if (!this.#proved()) return
          this.#events.frame(payload, binary)
          this.#options.received()
        },
        part: () => this.#options.received(),
        ping: () => this.#proved() && this.#events.proof(),
        pong: (payload) => {
          if (this.#proved()) this.#events.proof(payload.length === 4 ? payload.readUInt32BE() : undefined)
        },
        closed: (_code, error) => {
          this.#end(this.#closing(error))
          this.#resolveClosed()
        }
      }
    )
  }

  /** Something came. False when it came too late to count. */
  #proved(): boolean {
    if (this.#state === 'ended') return false
    this.excuse()
    if (this.#state !== 'heard') {
      this.#state = 'heard'
      this.#events.heard()
    }
    return true
  }

  #closing(error: string | undefined): Ending {
    if (this.#state !== 'heard') {
      // Closed without a word after opening: a relay on its way down, or a proxy in front of one.
      return refused(error === undefined ? new UnderstudyError('UNDERSTUDY_RELAY_UNREACHABLE') : networkError(error))
    }
    const code = error === undefined ? undefined : networkError(error).code
    return code === 'UNDERSTUDY_RELAY_FRAME' ? { cause: 'disconnected', code } : { cause: 'disconnected' }
  }

  #end(ending: Ending): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    if (this.#socket) this.#socket.terminate()
    else this.#resolveClosed()
    this.#events.ended(ending)
  }

  #isOpen(): boolean {
    return this.#state === 'proving' || this.#state === 'heard'
  }
}

/** @param relayMs the relay's time as it has just said it, where it has */
export function routeOf({ proxy, ca, unknownSinceMs }: ConnectionOptions, relayMs?: Ms): Route {
  const notBeforeMs = unknownSinceMs()
  return {
    ...(proxy !== undefined && { proxy }),
    ...(ca !== undefined && { ca }),
    ...(notBeforeMs !== undefined && { judgeDates: { notBeforeMs, elseMs: relayMs } })
  }
}

function refused(error: unknown): Ending {
  const code = error instanceof UnderstudyError ? error.code : 'UNDERSTUDY_INTERNAL'
  return { cause: isRefusal(code) ? 'refused' : 'connecting', code }
}
