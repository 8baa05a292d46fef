import type { ErrorCode } from '../errors.ts'
import type { LossCause, RelayListener, UncertainReason } from '../relay/listener.ts'
import type { Clock, Ms, Us } from '../world/time.ts'

/** What has been heard of a stream since the start. */
export interface StreamTally {
  readonly stream: string
  heard: boolean
  /** Since when it is, or is not; monotonic time. */
  sinceUs: Us
  /** Why not, while it is not heard. */
  cause?: LossCause | undefined
  code?: ErrorCode | undefined
  frames: number
  messages: number
  /** When the last frame came, as far as the time is known by now. */
  lastUs?: Us
  /** How often it was lost after it had been heard. */
  losses: number
}

/** Counts what the relay client tells, and passes it on. */
export class Tally implements RelayListener {
  private readonly listener: () => RelayListener
  private readonly clock: Clock
  private readonly messagesIn: (payload: Buffer) => number
  /** `framedUs`: when the last frame came, in monotonic time. */
  private readonly tallies = new Map<string, StreamTally & { framedUs?: Us }>()

  /**
   * @param listener to whom it passes everything on, at each moment
   * @param messagesIn how many messages a frame counts for; taking frames apart costs time
   */
  constructor(listener: () => RelayListener, clock: Clock, messagesIn: (payload: Buffer) => number) {
    this.listener = listener
    this.clock = clock
    this.messagesIn = messagesIn
  }

  private get next(): RelayListener {
    return this.listener()
  }

  /** One of each stream on the roster, in order of their names. */
  streams(): StreamTally[] {
    const offsetUs = this.clock.wallUs() - this.clock.monoUs()
    return [...this.tallies.values()]
      .map(({ framedUs, ...tally }) => (framedUs === undefined ? tally : { ...tally, lastUs: framedUs + offsetUs }))
      .sort((a, b) => (a.stream < b.stream ? -1 : 1))
  }

  added(stream: string): void {
    const sinceUs = this.clock.monoUs()
    this.tallies.set(stream, { stream, heard: false, sinceUs, frames: 0, messages: 0, losses: 0 })
    this.next.added(stream)
  }

  removed(stream: string): void {
    this.tallies.delete(stream)
    this.next.removed(stream)
  }

  heard(stream: string): void {
    const tally = this.tallies.get(stream)
    if (tally) {
      if (!tally.heard) tally.sinceUs = this.clock.monoUs()
      Object.assign(tally, { heard: true, cause: undefined, code: undefined })
    }
    this.next.heard(stream)
  }

  proof(stream: string): void {
    this.next.proof(stream)
  }

  frame(stream: string, payload: Buffer, binary: boolean): void {
    const tally = this.tallies.get(stream)
    if (tally) {
      tally.frames++
      tally.messages += this.messagesIn(payload)
      tally.framedUs = this.clock.monoUs()
    }
    this.next.frame(stream, payload, binary)
  }

  lost(stream: string, cause: LossCause, code?: ErrorCode, heardUntilUs?: Us): void {
    const tally = this.tallies.get(stream)
    if (tally) {
      if (tally.heard) {
        tally.losses++
        tally.sinceUs = this.clock.monoUs()
      }
      Object.assign(tally, { heard: false, cause, code })
    }
    this.next.lost(stream, cause, code, heardUntilUs)
  }

  doubted(stream: string, fromUs: Us | undefined): void {
    this.next.doubted(stream, fromUs)
  }

  uncertain(stream: string, fromUs: Us, toUs: Us, reason: UncertainReason): void {
    this.next.uncertain(stream, fromUs, toUs, reason)
  }

  relayTime(dateMs: Ms, tookMs: Ms, verified: boolean): void {
    this.next.relayTime(dateMs, tookMs, verified)
  }
}
