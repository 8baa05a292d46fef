import type { Writable } from 'node:stream'
import type { Log } from '../log.ts'
import type { Timer, Timers } from '../world/time.ts'
import { EventStreams, eventText, MOST_CLIENTS } from './event-streams.ts'
import type { Html } from './html.ts'

/** So long after something has happened it is looked what has changed: what happens meanwhile is told with it. */
const DELAY_MS = 600
/** And so often although nothing seems to have happened: times pass. */
const ANYWAY_MS = 15_000

/** Tells those who look at the overview what has changed on it. */
export class Live {
  readonly #timers: Timers
  readonly #render: () => Promise<Html>
  readonly #log: Log
  readonly #streams: EventStreams
  #told: Html | undefined
  #due: Timer | undefined
  #anyway: Timer | undefined
  #looking = false

  constructor(timers: Timers, render: () => Promise<Html>, log: Log) {
    this.#timers = timers
    this.#render = render
    this.#log = log
    this.#streams = new EventStreams(timers)
  }

  get isFull(): boolean {
    return this.#streams.count >= MOST_CLIENTS
  }

  /** A new listener. Who loads the page after it has begun misses nothing. */
  listen(response: Writable): void {
    this.#streams.add(response)
    response.write(eventText('values', this.#told ? Object.fromEntries(this.#told.values) : {}))
    this.#anyway ??= this.#timers.every(ANYWAY_MS, () => this.happened())
    if (!this.#told) void this.#look()
  }

  /** Something has happened that may show. It costs nothing while nobody listens. */
  happened(): void {
    if (this.#streams.count === 0) {
      this.#rest()
      return
    }
    this.#due ??= this.#timers.after(DELAY_MS, () => {
      this.#due = undefined
      void this.#look()
    })
  }

  close(): void {
    this.#rest()
    this.#streams.close()
  }

  #rest(): void {
    this.#due?.cancel()
    this.#anyway?.cancel()
    this.#due = this.#anyway = this.#told = undefined
  }

  async #look(): Promise<void> {
    if (this.#looking) {
      this.happened()
      return
    }
    this.#looking = true
    try {
      const now = await this.#render()
      const before = this.#told
      this.#told = now
      const changed = [...now.values].filter(([id, text]) => before?.values.get(id) !== text)
      if (changed.length > 0) this.#streams.send('values', Object.fromEntries(changed))
      if (before && before.shape !== now.shape) this.#streams.send('page', {})
    } catch (error) {
      this.#log.error({ err: error }, 'what has changed on the page could not be told')
    } finally {
      this.#looking = false
    }
  }
}
