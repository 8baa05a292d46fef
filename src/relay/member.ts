import type { ErrorCode } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { Backoff } from './backoff.ts'
import { Connection, type ConnectionOptions, type ConnectionState, type Ending } from './connection.ts'
import type { HoldReason, RelayListener } from './listener.ts'
import type { Lane, Reader, Tick } from './reader.ts'
import type { StreamSource } from './source.ts'
import { STALL_MS, StallWatch } from './stall.ts'

/** A stream as `Roster.states` shows it. */
export interface StreamState {
  readonly stream: string
  readonly kind: StreamSource['kind']
  /** Its connection's state; `waiting` between two attempts, `stopped` before the start and after the end. */
  readonly state: Exclude<ConnectionState, 'ended'> | 'waiting' | 'stopped'
  /** Monotonic time at which it was heard, or ceased to be. */
  readonly sinceUs: Us
  /** Why it is not heard, if that is known. */
  readonly code?: ErrorCode
  /** Monotonic time of the last pong, ping or message. */
  readonly lastProofUs?: Us
  readonly live: boolean
  /** Messages may have been dropped unseen this many times. */
  readonly uncertain: number
}

/** What the members of a roster share. */
export interface MemberContext {
  readonly world: World
  readonly connection: ConnectionOptions
  readonly listener: RelayListener
  readonly log: Log
  readonly reader: Reader
}

/** A connection that was heard for this long was a good one: the next attempt is a first one. */
const LASTING_US = 5_000_000

/** One stream on the roster: one connection after the other, from `start` to `stop`. */
export class Member {
  readonly #context: MemberContext
  readonly #backoff: Backoff
  #source: StreamSource
  #live: boolean
  #started = false
  #timer: Timer | undefined
  #connection: Connection | undefined
  #lane: Lane | undefined
  #watch: StallWatch | undefined
  /** What the listener knows of why it is not heard; `undefined` while it is, and before the first attempt. */
  #ending: Ending | undefined
  #sinceUs: Us
  #lastProofUs: Us | undefined
  /** When that proof can have come at the earliest. */
  #heardUntilUs: Us | undefined
  #uncertain = 0

  constructor(context: MemberContext, source: StreamSource, live: boolean) {
    this.#context = context
    this.#backoff = new Backoff(context.world.random)
    this.#source = source
    this.#live = live
    this.#sinceUs = context.world.clock.monoUs()
  }

  get source(): StreamSource {
    return this.#source
  }

  get #stream(): string {
    return this.#source.stream
  }

  start(delayMs: number): void {
    this.#started = true
    this.#timer = this.#context.world.timers.after(delayMs, () => this.#connect())
  }

  /** Resolves when its connection is closed. */
  async stop(): Promise<void> {
    if (!this.#started) return
    this.#started = false
    this.#timer?.cancel()
    const closed = this.#connection?.stop()
    this.#unheard({ cause: 'stopped' })
    await closed
  }

  /** The same place with other credentials: a connection that stands goes on, the next one uses them. */
  renew(source: StreamSource): void {
    this.#source = source
    this.#backoff.reset()
    if (this.#started && !this.#connection) this.#retry()
  }

  setLive(live: boolean): void {
    this.#live = live
    if (!this.#lane) return
    this.#lane.live = live
    this.#context.reader.update(this.#lane)
  }

  send(payload: string): boolean {
    return this.#connection?.send(payload) ?? false
  }

  held(reason: HoldReason): void {
    this.#watch?.held(reason)
  }

  released(): void {
    this.#connection?.excuse()
    this.#watch?.released()
  }

  tickEnd(tick: Tick): void {
    // Nobody looked: that the other side was not heard meanwhile says nothing of it.
    if (tick.lateMs >= STALL_MS || this.#context.reader.held) this.#connection?.excuse()
    this.#watch?.tickEnd(tick)
    this.#connection?.check()
  }

  partialBytes(): number {
    return this.#connection?.partialBytes() ?? 0
  }

  state(): StreamState {
    const waiting = this.#started ? 'waiting' : 'stopped'
    const state = this.#connection?.state ?? waiting
    return {
      stream: this.#stream,
      kind: this.#source.kind,
      state: state === 'ended' ? waiting : state,
      sinceUs: this.#sinceUs,
      ...(this.#ending?.code && { code: this.#ending.code }),
      ...(this.#lastProofUs !== undefined && { lastProofUs: this.#lastProofUs }),
      live: this.#live,
      uncertain: this.#uncertain
    }
  }

  #connect(): void {
    this.#timer = undefined
    const { world, connection: options, listener, log, reader } = this.#context
    if (!this.#ending) this.#unheard({ cause: 'connecting' })
    const connection = new Connection(world, this.#source, options, {
      heard: () => {
        this.#sinceUs = world.clock.monoUs()
        this.#prove()
        this.#ending = undefined
        lane.proved = true
        reader.update(lane)
        this.#watch = new StallWatch(lane, this.#sinceUs, {
          ping: () => connection.ping(),
          doubted: (fromUs) => listener.doubted(this.#stream, fromUs),
          uncertain: (fromUs, toUs, reason) => {
            this.#uncertain++
            // What is uncertain need not be a gap as well.
            if (this.#heardUntilUs !== undefined) this.#heardUntilUs = Math.max(this.#heardUntilUs, toUs)
            log.warn(
              { stream: this.#stream, reason, ms: Math.round((toUs - fromUs) / 1000) },
              'messages may be missing'
            )
            listener.uncertain(this.#stream, fromUs, toUs, reason)
          }
        })
        if (reader.held) this.#watch.held(reader.held)
        log.info({ stream: this.#stream }, 'heard')
        listener.heard(this.#stream)
      },
      proof: (pong) => {
        this.#prove()
        this.#watch?.pong(pong)
        listener.proof(this.#stream)
      },
      frame: (payload, binary) => {
        this.#prove()
        lane.count(payload)
        this.#watch?.frame(payload)
        listener.frame(this.#stream, payload, binary)
      },
      ended: (ending) => {
        reader.remove(lane)
        this.#connection = undefined
        this.#lane = undefined
        const nowUs = world.clock.monoUs()
        const tooLarge = ending.code === 'UNDERSTUDY_RELAY_FRAME'
        this.#watch?.lost(nowUs, reader.lateMs, tooLarge)
        // Who sends such frames sends more of them: the attempts become rarer.
        if (this.#watch && !tooLarge && nowUs - this.#sinceUs >= LASTING_US) this.#backoff.reset()
        this.#watch = undefined
        this.#unheard(ending)
        if (this.#started) this.#wait(ending)
      }
    })
    this.#connection = connection
    const lane = reader.add(connection)
    lane.live = this.#live
    this.#lane = lane
  }

  #prove(): void {
    this.#lastProofUs = this.#context.world.clock.monoUs()
    this.#heardUntilUs = this.#watch?.earliestUs(this.#lastProofUs)
  }

  #wait({ code }: Ending): void {
    this.#timer = this.#context.world.timers.after(this.#backoff.next(code), () => this.#connect())
  }

  #retry(): void {
    this.#timer?.cancel()
    this.#wait({ cause: 'connecting' })
  }

  /** Tells the listener that it is not heard, or why not, when that is news. */
  #unheard(ending: Ending): void {
    const known = this.#ending
    if (known?.cause === ending.cause && known.code === ending.code) return
    if (!known) this.#sinceUs = this.#context.world.clock.monoUs()
    this.#ending = ending
    const { log, listener } = this.#context
    const level = ending.cause === 'stopped' || (ending.cause === 'connecting' && !ending.code) ? 'info' : 'warn'
    log[level]({ stream: this.#stream, ...ending }, 'not heard')
    // A connection that is ended here was there until now.
    const heardUntilUs = ending.cause === 'stopped' ? undefined : this.#heardUntilUs
    listener.lost(this.#stream, ending.cause, ending.code, heardUntilUs)
  }
}
