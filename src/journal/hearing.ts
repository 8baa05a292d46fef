import type { ErrorCode } from '../errors.ts'
import type { LossCause, RelayListener, UncertainReason } from '../relay/listener.ts'
import type { Ms, Us } from '../world/time.ts'
import type { Writer } from './writer.ts'

/** Puts on record what the relay client tells: the frames, and when each stream was heard. */
export class Hearing implements RelayListener {
  readonly #writer: Writer
  /** Why a stream is not heard, as last noted. */
  readonly #causes = new Map<string, string>()

  constructor(writer: Writer) {
    this.#writer = writer
  }

  added(stream: string): void {
    this.#writer.note({ event: 'stream', stream, state: 'added' })
    this.lost(stream, 'connecting')
  }

  removed(stream: string): void {
    this.#writer.note({ event: 'stream', stream, state: 'removed' })
    this.#causes.delete(stream)
  }

  heard(stream: string): void {
    this.#writer.note({ event: 'heard', stream })
    this.#causes.delete(stream)
  }

  proof(stream: string): void {
    this.#writer.proof(stream)
  }

  frame(stream: string, payload: Buffer, binary: boolean): void {
    this.#writer.append({ stream, payload, binary, origin: 'relay' })
  }

  lost(stream: string, cause: LossCause, code?: ErrorCode, heardUntilUs?: Us): void {
    const noted = `${cause} ${code}`
    if (this.#causes.get(stream) === noted) return
    this.#causes.set(stream, noted)
    const { heard, proofUs } = this.#writer.states.of(stream)
    const { monoUs, boot } = this.#writer.stamp()
    const sinceUs = heard ? Math.min(proofUs, heardUntilUs ?? proofUs) : monoUs
    const gap = { event: 'gap', stream, cause, boot, sinceUs } as const
    this.#writer.note(code ? { ...gap, code } : gap)
  }

  /** Every stream that was to be heard is not any more; at a clean end. */
  stopped(): void {
    for (const [stream, { wanted, heard }] of this.#writer.states.streams) {
      if (wanted || heard) this.lost(stream, 'stopped')
    }
  }

  doubted(stream: string, fromUs: Us | undefined): void {
    if (fromUs === undefined) this.#writer.note({ event: 'settled', stream })
    else this.#writer.note({ event: 'doubt', stream, fromUs })
  }

  uncertain(stream: string, fromUs: Us, toUs: Us, reason: UncertainReason): void {
    this.#writer.note({ event: 'uncertain', stream, boot: this.#writer.stamp().boot, fromUs, toUs, reason })
  }

  /** See `Timekeeper.unknownSinceMs`. */
  get unknownSinceMs(): Ms | undefined {
    return this.#writer.unknownSinceMs
  }

  /** Only a time that came over a checked connection is believed. */
  relayTime(dateMs: Ms, tookMs: Ms, verified: boolean): void {
    if (verified) this.#writer.relayTime(dateMs, tookMs)
  }

  /** See `Timekeeper.wantsRelayTime`. */
  get wantsRelayTime(): boolean {
    return this.#writer.wantsRelayTime
  }
}
