import type { Log } from '../../log.ts'
import type { Timer, Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { Wanted } from '../wire/requests.ts'
import { Availability } from './availability.ts'
import { type Pending, Watch, type WatchOptions } from './watch.ts'

/** Answers closer together than 100 ms may reach the dashboard joined, and the way to the relay may bring them closer. */
const SPACING_US: Us = 120_000
/** After an answer that could not be made or sent. */
const RETRY_US: Us = 1_000_000

/** What the lines of all streams share. */
export interface LineContext {
  readonly world: World
  readonly log: Log
  readonly watch: WatchOptions
  /** Whether this Pi answers on a stream, and not only says what it would do. */
  answersOn(stream: string): boolean
  /** Resolves when everything that has come by now has been taken into account. */
  upToNow(): Promise<void>
  /** The text of an answer; `undefined` where there is nothing to be said. */
  answer(pending: Pending, wanted: Wanted): Promise<string | undefined>
  /** Sends it and puts it on record; false when the stream is not heard. */
  send(stream: string, text: string): boolean
  /** The primary is silent on a stream since something was asked there, or replies again. */
  turned(stream: string, silent: boolean, sinceUs: Us): void
}

/** One stream: what is asked there, and the one queue in which it is answered, an answer at a time. */
export class Line {
  readonly watch: Watch
  readonly availability = new Availability()
  readonly #context: LineContext
  readonly #stream: string
  #timer: Timer | undefined
  #looking: Promise<void> | undefined
  #notBeforeUs = Number.NEGATIVE_INFINITY
  #stopped = false

  constructor(context: LineContext, stream: string) {
    this.#context = context
    this.#stream = stream
    this.watch = new Watch(context.watch)
  }

  /** Plans the next look. To be called when the watch has learnt something. */
  plan(): void {
    if (this.#looking || this.#stopped) return
    this.#timer?.cancel()
    const { nextUs } = this.watch
    if (nextUs === undefined) return
    const waitUs = Math.max(nextUs, this.#notBeforeUs) - this.#nowUs
    this.#timer = this.#context.world.timers.after(Math.max(0, Math.ceil(waitUs / 1000)), () => this.#begin())
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#looking
  }

  get #nowUs(): Us {
    return this.#context.world.clock.monoUs()
  }

  #begin(): void {
    this.#looking = this.#look()
      .catch((error: unknown) => {
        if (this.#stopped) return
        this.#notBeforeUs = this.#nowUs + RETRY_US
        this.#context.log.error({ err: error, stream: this.#stream }, 'an answer failed; it is tried again')
      })
      .finally(() => {
        this.#looking = undefined
        this.plan()
      })
  }

  /** The answer is made first: between the last look at what has come and the sending nothing else may happen. */
  async #look(): Promise<void> {
    const answers = this.#context.answersOn(this.#stream)
    const pending = this.watch.next(this.#nowUs)
    const wanted = pending?.owed[0]
    const text = pending && wanted && answers ? await this.#context.answer(pending, wanted) : undefined
    await this.#context.upToNow()
    if (this.#stopped) return
    const sinceUs = this.watch.judge(this.#nowUs)
    if (sinceUs !== undefined) this.#context.turned(this.#stream, true, sinceUs)
    if (!pending || !wanted || !this.watch.owes(pending, wanted, this.#nowUs)) return
    if (answers) this.#answer(pending, wanted, text)
    else this.#sayWhatItWouldDo(pending)
  }

  #answer(pending: Pending, wanted: Wanted, text: string | undefined): void {
    const { log } = this.#context
    const fields = { stream: this.#stream, content: wanted.content }
    if (text === undefined) log.debug(fields, 'asked for what there is no answer to')
    else if (this.#context.send(this.#stream, text)) {
      this.#notBeforeUs = this.#nowUs + SPACING_US
      log.debug(fields, "answered in the primary's place")
    } else {
      this.#notBeforeUs = this.#nowUs + RETRY_US
      return
    }
    this.watch.sent(pending, wanted, this.#nowUs)
  }

  #sayWhatItWouldDo(pending: Pending): void {
    const owed = pending.owed.filter((wanted) => this.watch.owes(pending, wanted, this.#nowUs))
    for (const wanted of owed) this.watch.sent(pending, wanted, this.#nowUs)
    const replies = owed.map(({ content }) => content)
    const waitedMs = Math.round((this.#nowUs - pending.readUs) / 1000)
    this.#context.log.info({ stream: this.#stream, replies, waitedMs }, 'would have answered')
  }
}
