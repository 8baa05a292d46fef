import type { Log } from '../log.ts'
import type { Route } from '../world/sockets.ts'
import type { Ms } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { initialDelay } from './backoff.ts'
import { askCode, type CodeSource } from './code.ts'
import { ANSWER_TIMEOUT_MS, routeOf } from './connection.ts'
import type { HoldReason, RelayListener } from './listener.ts'
import { Member, type MemberContext, type StreamState } from './member.ts'
import { Reader, type Tick } from './reader.ts'
import type { StreamSource } from './source.ts'
import { TimeAsker } from './time-asker.ts'

export interface RosterOptions extends Omit<Route, 'judgeDates'> {
  /** Asked at each connection, see `ConnectionOptions`. Default: it was right. */
  readonly unknownSinceMs?: () => Ms | undefined
  /** Whether the relay's time is wanted. Default: never. */
  readonly wantsTime?: () => boolean
  /** The sockets are read this often. */
  readonly readIntervalMs: Ms
  readonly pingIntervalMs: Ms
  /** A connection without pong, ping and message for this long is given up. */
  readonly silenceMs: Ms
  /**
   * A larger frame ends its connection, and what was in it is `uncertain`. Default 12 MiB: the relay's largest message,
   * and some that it joined to it. It may join 128 of them: 1.2 GB, which no memory is bounded by.
   */
  readonly maxPayloadBytes?: number
  /** Streams that are live from the start. */
  readonly live?: readonly string[]
  /** Called when frames or parts of them have come: the place for `hold`, when memory is short. */
  readonly onReceived?: () => void
  /** Called at the end of each reading: now is the time to commit what came. */
  readonly onTickEnd?: () => void
}

/** All streams, each kept connected until it is taken off or all are stopped. */
export class Roster {
  readonly #context: MemberContext
  readonly #onTickEnd: () => void
  readonly #live: Set<string>
  readonly #members = new Map<string, Member>()
  /** Members that were taken off and are not closed yet. */
  readonly #leaving = new Set<Promise<void>>()
  readonly #timeAsker: TimeAsker
  #started = false

  constructor(world: World, options: RosterOptions, listener: RelayListener, log: Log) {
    const { proxy, ca } = options
    this.#onTickEnd = options.onTickEnd ?? (() => {})
    this.#live = new Set(options.live)
    this.#context = {
      world,
      listener,
      log,
      reader: new Reader(world, options.readIntervalMs, (tick) => this.#tickEnd(tick)),
      connection: {
        pingIntervalMs: options.pingIntervalMs,
        silenceMs: options.silenceMs,
        maxPayloadBytes: options.maxPayloadBytes ?? 12 * 1024 * 1024,
        received: options.onReceived ?? (() => {}),
        unknownSinceMs: options.unknownSinceMs ?? (() => undefined),
        relayTime: (...said) => listener.relayTime(...said),
        ...(proxy !== undefined && { proxy }),
        ...(ca !== undefined && { ca })
      }
    }
    const { wantsTime = () => false } = options
    this.#timeAsker = new TimeAsker(world, wantsTime, () => this.#askTime())
  }

  /**
   * Makes these the streams there are. New ones are added, missing ones removed, and the others stay connected; a
   * renewed token is used at the next connection, another URL ends the present one.
   */
  set(sources: readonly StreamSource[]): void {
    const wanted = new Map(sources.map((source) => [source.stream, source]))
    for (const [stream, member] of this.#members) {
      const source = wanted.get(stream)
      if (source && place(source) === place(member.source)) continue
      this.#members.delete(stream)
      const left = member.stop()
      this.#leaving.add(left)
      void left.finally(() => this.#leaving.delete(left))
      this.#context.listener.removed(stream)
    }
    const added = sources.filter(({ stream }) => !this.#members.has(stream))
    for (const source of wanted.values()) {
      const member = this.#members.get(source.stream)
      if (!member) this.#add(source, added.length)
      else if (credential(source) !== credential(member.source)) member.renew(source)
    }
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    this.#context.reader.start()
    this.#timeAsker.start()
    for (const member of this.#members.values()) this.#begin(member, this.#members.size)
  }

  /** Ends every connection; resolves when all are closed. No frame comes after it was called. */
  async stop(): Promise<void> {
    this.#started = false
    this.#timeAsker.stop()
    this.#context.reader.stop()
    await Promise.all([...this.#leaving, ...[...this.#members.values()].map((member) => member.stop())])
  }

  /** A live stream is read at once, not on the tick. */
  setLive(stream: string, live: boolean): void {
    if (live) this.#live.add(stream)
    else this.#live.delete(stream)
    this.#members.get(stream)?.setLive(live)
  }

  /** Sends a text message to the stream's other clients; false when it is not heard, then nothing was sent. */
  send(stream: string, payload: string): boolean {
    return this.#members.get(stream)?.send(payload) ?? false
  }

  /** Stops reading all sockets, because memory is short. Called again, it may know better why. */
  hold(reason: HoldReason): void {
    const { held } = this.#context.reader
    if (held && (held !== 'memory full' || held === reason)) return
    this.#context.reader.hold(reason)
    for (const member of this.#members.values()) member.held(reason)
  }

  release(): void {
    if (!this.#context.reader.held) return
    this.#context.reader.release()
    for (const member of this.#members.values()) member.released()
  }

  /**
   * While reading is held: lets one stream finish a frame of which a part is here already, since what is held may be
   * nothing but parts. To be called again until `release`.
   */
  relieve(): void {
    this.#context.reader.relieve()
  }

  /** Bytes read that belong to frames not yet whole, over all streams. */
  pendingBytes(): number {
    let bytes = 0
    for (const member of this.#members.values()) bytes += member.partialBytes()
    return bytes
  }

  /** One of each stream, for the status. */
  states(): StreamState[] {
    return [...this.#members.values()].map((member) => member.state())
  }

  #add(source: StreamSource, together: number): void {
    const member = new Member(this.#context, source, this.#live.has(source.stream))
    this.#members.set(source.stream, member)
    this.#context.listener.added(source.stream)
    if (this.#started) this.#begin(member, together)
  }

  #begin(member: Member, together: number): void {
    member.start(initialDelay(this.#context.world.random, together))
  }

  /** By a code that nobody uses, of one of the streams that the relay gives codes for. What goes wrong says nothing. */
  async #askTime(): Promise<void> {
    const { world, connection } = this.#context
    const sources = [...this.#members.values()]
      .filter((member) => member.state().state === 'heard')
      .map(({ source }) => source)
      .filter((source): source is CodeSource => source.kind === 'code' && source.accessUrl.startsWith('https:'))
    if (sources.length === 0) return
    const source = sources[Math.floor(world.random.fraction() * sources.length)]!
    const { relayTime } = connection
    await askCode(world, source, { ...routeOf(connection), timeoutMs: ANSWER_TIMEOUT_MS, relayTime }).catch(() => {})
  }

  #tickEnd(tick: Tick): void {
    for (const member of this.#members.values()) member.tickEnd(tick)
    this.#onTickEnd()
  }
}

/** What a connection depends on; a change of it needs another connection. */
function place(source: StreamSource): string {
  return source.kind === 'code' ? `POST ${source.accessUrl}` : source.url
}

function credential(source: StreamSource): string | undefined {
  return source.kind === 'code' ? source.token : undefined
}
