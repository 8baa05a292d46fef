import type { Writable } from 'node:stream'
import type { Timer, Timers } from '../world/time.ts'

/** More listeners are sent away. */
export const MOST_CLIENTS = 100
/** Who has not taken so much is dropped: he is slow, or has vanished. */
const MOST_UNSENT_BYTES = 64 * 1024
/** A comment goes out so often: who has gone is noticed by it, and nothing in between takes the connection for idle. */
const BEAT_MS = 10_000

/** Everybody who listens to server-sent events. Nothing runs while there is nobody. */
export class EventStreams {
  readonly #timers: Timers
  readonly #clients = new Set<Writable>()
  #beat: Timer | undefined

  constructor(timers: Timers) {
    this.#timers = timers
  }

  get count(): number {
    return this.#clients.size
  }

  /** Takes over an answer whose head is written. */
  add(response: Writable): void {
    this.#clients.add(response)
    response.on('error', () => {}).once('close', () => this.#forget(response))
    this.#beat ??= this.#timers.every(BEAT_MS, () => this.#write(':\n\n'))
  }

  /** To everybody. */
  send(event: string, data: unknown): void {
    this.#write(eventText(event, data))
  }

  close(): void {
    for (const response of this.#clients) response.destroy()
  }

  #write(text: string): void {
    // Once for all of them.
    const bytes = Buffer.from(text)
    for (const response of this.#clients) {
      if (response.writableLength > MOST_UNSENT_BYTES) response.destroy()
      else response.write(bytes)
    }
  }

  #forget(response: Writable): void {
    this.#clients.delete(response)
    if (this.#clients.size > 0) return
    this.#beat?.cancel()
    this.#beat = undefined
  }
}

/** JSON has no line breaks, so one line holds it. */
export function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
