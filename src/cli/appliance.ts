import type { Config } from '../config/config.ts'
import type { Found } from '../config/credentials.ts'
import { Discovery } from '../config/discovery.ts'
import { streamMatcher } from '../config/patterns.ts'
import { expiryWarning } from '../config/token.ts'
import { type ErrorCode, systemCode, UnderstudyError } from '../errors.ts'
import type { StreamFacts } from '../health/rooms.ts'
import type { Journal } from '../journal/journal.ts'
import type { Log } from '../log.ts'
import { Roster } from '../relay/roster.ts'
import type { StatusServer } from '../status/server.ts'
import type { Timer } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { AwaitedJournal, type AwaitedOptions } from './awaited-journal.ts'
import type { Recording } from './local/status.ts'
import { recordClock } from './record-clock.ts'
import { servePage } from './shown.ts'
import { StandingIn } from './standing-in.ts'
import { Tally } from './tally.ts'
import { version } from './version.ts'
import { Watched } from './watched.ts'

const DAY_MS = 86_400_000
export interface ApplianceOptions extends AwaitedOptions {
  /** How many messages a frame counts for in `tally`; without it, one. */
  readonly messagesIn?: (payload: Buffer) => number
  /** Serve the page, with what was logged last. */
  readonly page?: { readonly logged: () => readonly string[] }
}

/** The recorder: finds the streams, hears them, keeps them in the journal, and answers the other commands meanwhile. */
export class Appliance {
  readonly tally: Tally
  private readonly watched: Watched
  private readonly page: ApplianceOptions['page']
  private shown: StatusServer | undefined
  private readonly awaited: AwaitedJournal
  private readonly world: World
  private readonly log: Log
  private readonly config: Config
  private readonly discovery: Discovery
  private readonly roster: Roster
  private readonly isLive: (stream: string) => boolean
  private readonly standingIn: StandingIn
  private found: Found = { sources: [], problems: [], tokens: new Map() }
  /** Streams whose credentials cannot be used. */
  private unusable: ReadonlySet<string> = new Set()
  private expiryTimer: Timer | undefined

  private constructor(
    world: World,
    options: ApplianceOptions,
    awaited: AwaitedJournal,
    ca: string | undefined,
    log: Log
  ) {
    const { config } = options
    const { relay, network } = config
    this.world = world
    this.log = log
    this.config = config
    this.awaited = awaited
    this.page = options.page
    this.isLive = relay.live.length > 0 ? streamMatcher(relay.live) : () => false
    this.discovery = new Discovery(world, config, log)
    const clock = recordClock(world.clock, () => awaited.stamp())
    this.tally = new Tally(() => awaited.hearing, clock, options.messagesIn ?? (() => 1))
    this.watched = new Watched(
      world,
      config,
      {
        awaited,
        ca,
        streams: () => this.streamFacts(),
        problems: () => this.found.problems,
        primary: (nowUs) => this.standingIn.primary(nowUs)
      },
      log
    )
    this.roster = new Roster(
      world,
      {
        readIntervalMs: relay.readIntervalMs,
        pingIntervalMs: relay.pingIntervalMs,
        silenceMs: relay.silenceTimeoutMs,
        ...(network.proxy !== undefined && { proxy: network.proxy }),
        ...(ca !== undefined && { ca }),
        unknownSinceMs: () => awaited.hearing.unknownSinceMs,
        wantsTime: () => awaited.hearing.wantsRelayTime,
        onReceived: () => this.checkMemory(),
        onTickEnd: () => this.tickEnd()
      },
      this.tally,
      log
    )
    this.standingIn = new StandingIn(world, config, this.roster, log)
  }

  /**
   * Starts recording. Streams whose credentials come later are recorded from then on.
   * @throws UNDERSTUDY_ALREADY_RUNNING, UNDERSTUDY_NO_ROOM, UNDERSTUDY_CONFIG_UNREADABLE for the ca_file
   */
  static async start(world: World, options: ApplianceOptions, log: Log): Promise<Appliance> {
    const ca = await readCa(world, options.config.network.caFile)
    let appliance: Appliance | undefined
    const recording = (): Recording => appliance?.recording() ?? { streams: [], problems: [] }
    const passed = (): void => appliance?.watched.health.refresh()
    const awaited = await AwaitedJournal.open(world, { ...options, passed }, recording, log)
    appliance = new Appliance(world, options, awaited, ca, log)
    await appliance.begin()
    return appliance
  }

  /** @throws UNDERSTUDY_NO_ROOM while it waits for room */
  get journal(): Journal {
    return this.awaited.journal
  }

  /** Resolves when the journal is open; rejects when it will not be. */
  get opened(): Promise<void> {
    return this.awaited.opened
  }

  /** Bytes that came and are not on the disk. */
  get pendingBytes(): number {
    return this.awaited.pendingBytes
  }

  /** Where the page is, as long as it is served. */
  get pageUrl(): string | undefined {
    return this.shown?.url
  }

  /**
   * Ends every connection and commits what has come.
   * @throws UNDERSTUDY_NO_ROOM, or what else keeps it from being committed
   */
  async stop(): Promise<void> {
    this.discovery.stop()
    this.expiryTimer?.cancel()
    await this.standingIn.stop()
    // It is not waited for first: what has come is committed whatever a sensor does.
    const unwatched = Promise.all([this.watched.stop(), this.shown?.stop()])
    await this.roster.stop()
    await this.awaited.close()
    await unwatched
    this.log.info({}, 'stopped')
  }

  /** What is being recorded at this moment. */
  recording(): Recording {
    const primary = this.standingIn.status()
    const streams = this.tally.streams().map(({ stream, heard, cause, code, frames, lastUs }) => {
      const tokenExpiresMs = this.found.tokens.get(stream)?.expiresMs
      return { stream, heard, cause, code, frames, lastUs, tokenExpiresMs, primary: primary.get(stream) }
    })
    return { streams, problems: this.found.problems, health: this.watched.status() }
  }

  private streamFacts(): StreamFacts[] {
    const journal = this.awaited.running?.journal
    return this.tally.streams().map(({ stream, heard, sinceUs, cause, code, frames, lastUs }) => {
      const tokenExpiresMs = this.found.tokens.get(stream)?.expiresMs
      const spoke = (journal?.lastSeq(stream) ?? 0) > 0
      return { stream, heard, sinceUs, cause, code, frames, lastUs, tokenExpiresMs, spoke }
    })
  }

  private async begin(): Promise<void> {
    this.take(await this.discovery.read())
    this.discovery.watch((found) => this.take(found))
    this.expiryTimer = this.world.timers.every(DAY_MS, () => this.warnOfExpiry())
    this.roster.start()
    // Who stops it is told why there is no journal.
    void this.awaited.opened.then(() => this.standingIn.begin(this.journal, this.awaited.graphs)).catch(() => {})
    this.watched.start()
    if (this.page) {
      const parts = { awaited: this.awaited, health: this.watched.health, ...this.page }
      this.shown = servePage(this.world, this.config, parts, this.log)
    }
    this.log.info({ version, streams: this.found.sources.length }, 'recording')
  }

  private take(found: Found): void {
    this.found = found
    this.roster.set(found.sources)
    this.noteUnusable(found)
    this.standingIn.take(found)
    for (const { stream } of found.sources) {
      this.roster.setLive(stream, this.isLive(stream) || this.standingIn.answersOn(stream))
    }
    if (found.sources.length === 0) {
      const { code, message } = new UnderstudyError('UNDERSTUDY_NO_STREAMS')
      this.log.warn({ code }, message)
    }
    this.warnOfExpiry()
  }

  /** A stream that cannot even be asked for is on record too, as refused: its silence is not for want of data. */
  private noteUnusable({ sources, problems }: Found): void {
    const usable = new Set(sources.map(({ stream }) => stream))
    const unusable = new Map<string, ErrorCode>()
    for (const { stream, severity, code } of problems) {
      if (stream !== undefined && severity === 'error' && !usable.has(stream)) unusable.set(stream, code)
    }
    for (const stream of this.unusable) if (!unusable.has(stream) && !usable.has(stream)) this.tally.removed(stream)
    for (const [stream, code] of unusable) {
      if (!this.unusable.has(stream)) this.tally.added(stream)
      this.tally.lost(stream, 'refused', code)
    }
    this.unusable = new Set(unusable.keys())
  }

  private warnOfExpiry(): void {
    for (const [stream, token] of this.found.tokens) {
      const warning = expiryWarning(token, this.awaited.stamp().wallUs / 1000)
      if (warning) this.log.warn({ stream, ...warning }, 'the token expires soon, or has expired')
    }
  }

  /**
   * When the disk falls behind, no more is read until half of what waits is written. What waits may also be parts of
   * large frames: these are then let in one after the other.
   */
  private checkMemory(): void {
    const waiting = this.pendingBytes
    const bytes = waiting + this.roster.pendingBytes()
    const { memoryBytes } = this.config.journal
    if (bytes > memoryBytes) this.roster.hold(this.awaited.failure ?? 'memory full')
    else if (bytes <= memoryBytes / 2) this.roster.release()
    if (waiting <= memoryBytes / 2) this.roster.relieve()
  }

  /**
   * Two readings share a commit where the first can wait for the second: what a commit costs a card hardly depends on
   * how much is in it.
   */
  private tickEnd(): void {
    this.checkMemory()
    const { relay, journal } = this.config
    if (this.awaited.pendingMs + relay.readIntervalMs > journal.commitIntervalMs) this.awaited.commit()
  }
}

/** The certificates that are trusted besides the system's. */
export async function readCa({ files }: World, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  try {
    return (await files.readFile(path)).toString()
  } catch (error) {
    const detail = `network.ca_file: ${path}: ${systemCode(error) ?? 'unreadable'}`
    throw new UnderstudyError('UNDERSTUDY_CONFIG_UNREADABLE', detail, { cause: error })
  }
}
