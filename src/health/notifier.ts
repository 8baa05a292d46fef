import { type ErrorCode, systemCode } from '../errors.ts'
import type { Log } from '../log.ts'
import { networkError } from '../network.ts'
import type { Route } from '../world/sockets.ts'
import { type Ms, sleep, type Timer } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Report } from './report.ts'
import { findingsOf, type Verdict } from './verdict.ts'

const HEARTBEAT_MS: Ms = 3_600_000
const TIMEOUT_MS: Ms = 10_000
/** After the first failure; twice as much after each further one, up to the most. */
const RETRY_MS: Ms = 5_000
const MOST_RETRY_MS: Ms = 300_000

export interface NotifierOptions {
  /** Known to nobody but its owner: it may hold a secret. */
  readonly url: string
  /** Asked for each attempt. */
  readonly route: () => Route
  /** How it stands now. */
  readonly current: () => { readonly verdict: Verdict; readonly report: Report }
}

/**
 * Calls by itself: each verdict that is new, and every hour that it still lives. What could not be told is tried again,
 * until something newer is to be told.
 */
export class Notifier {
  readonly #world: World
  readonly #options: NotifierOptions
  readonly #log: Log
  readonly #stopping = new AbortController()
  #waiting: string | undefined
  /** What the last verdict found. */
  #told = ''
  #news = new AbortController()
  #sending = false
  #timer: Timer | undefined

  constructor(world: World, options: NotifierOptions, log: Log) {
    this.#world = world
    this.#options = options
    this.#log = log
  }

  start(): void {
    this.#timer = this.#world.timers.every(HEARTBEAT_MS, () => this.#beat())
    this.#beat()
  }

  /** What is being sent is not waited for. */
  stop(): void {
    this.#timer?.cancel()
    this.#stopping.abort()
  }

  /** Says nothing of a verdict that finds the same as the last that was told. */
  changed(verdict: Verdict, report: Report): void {
    const findings = findingsOf(verdict)
    if (findings === this.#told) return
    this.#told = findings
    this.#tell(bodyOf('verdict', verdict, report))
  }

  /** While something waits to be told, that it is not is what a dead-man's switch is for. */
  #beat(): void {
    if (this.#waiting !== undefined) return
    const { verdict, report } = this.#options.current()
    this.#told = findingsOf(verdict)
    this.#tell(bodyOf('heartbeat', verdict, report))
  }

  #tell(body: string): void {
    this.#waiting = body
    this.#news.abort()
    if (!this.#sending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = true
    let failures = 0
    while (this.#waiting !== undefined && !this.#stopping.signal.aborted) {
      const body = this.#waiting
      this.#news = new AbortController()
      const fault = await this.#post(body)
      if (fault === undefined) {
        if (this.#waiting === body) this.#waiting = undefined
        failures = 0
        continue
      }
      if (failures++ === 0) this.#log.warn(fault, 'a notification could not be sent; it is tried again')
      const mostMs = Math.min(MOST_RETRY_MS, RETRY_MS * 2 ** (failures - 1))
      const waitMs = mostMs * (0.5 + this.#world.random.fraction() / 2)
      await sleep(this.#world.timers, waitMs, AbortSignal.any([this.#stopping.signal, this.#news.signal]))
    }
    this.#sending = false
  }

  /** Gives what went wrong, in words that tell nothing of the URL, and the code where it was the network. */
  async #post(body: string): Promise<{ readonly fault: string; readonly code?: ErrorCode } | undefined> {
    try {
      const { url, route } = this.#options
      const headers = { 'content-type': 'application/json' }
      const { status } = await this.#world.sockets.request(url, {
        ...route(),
        method: 'POST',
        headers,
        body,
        timeoutMs: TIMEOUT_MS
      })
      return status >= 200 && status < 300 ? undefined : faultOf(`HTTP_${status}`)
    } catch (error) {
      return faultOf(systemCode(error) ?? 'unknown')
    }
  }
}

function faultOf(fault: string): { fault: string; code?: ErrorCode } {
  const { code } = networkError(fault)
  return { fault, ...(code.startsWith('UNDERSTUDY_NETWORK_') && { code }) }
}

function bodyOf(kind: 'verdict' | 'heartbeat', verdict: Verdict, { site, version, nowMs: atMs }: Report): string {
  return JSON.stringify({ format: 1, kind, site, version, atMs, ...verdict })
}
