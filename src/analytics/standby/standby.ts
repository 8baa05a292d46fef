import type { Entry, EventEntry, Frame } from '../../journal/entry.ts'
import type { Journal } from '../../journal/journal.ts'
import type { Cursor } from '../../journal/reading.ts'
import type { Log } from '../../log.ts'
import type { Roster } from '../../relay/roster.ts'
import { InTurn } from '../../world/in-turn.ts'
import { type Ms, sleep, type Us } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import type { Models } from '../models.ts'
import { reply, type StudentState } from '../wire/replies.ts'
import type { Request } from '../wire/requests.ts'
import type { AvailabilityFigures } from './availability.ts'
import { Line, type LineContext } from './line.ts'
import { heed } from './measured.ts'
import { saidIn } from './said.ts'
import { type Place, TOO_OLD_US } from './watch.ts'

const READER = 'standby'
const SILENT = 'silent'
/** How often the place is kept; from there it is read again after a restart. */
const KEEP_US: Us = 60_000_000
/** Several Pis wait for so long more at most, by chance. */
const JITTER_MS: Ms = 600
/** After a failure. */
const RETRY_MS: Ms = 60_000
/** A reply that came in while a commit took longer than this is looked for as well. */
const SLOW_US: Us = 100_000
const MOST_COMMITS = 5

export type StandbyMode = 'observe' | 'answer' | 'always'

export interface StandbyOptions {
  readonly mode: StandbyMode
  /** The primary has so long for each reply. */
  readonly afterMs: Ms
  /** A stream that is not live is read this often, and a reply may be seen so much later than it came. */
  readonly readIntervalMs: Ms
  /** Exploration as it was meant, see `ReplyOptions`. */
  readonly corrected?: boolean
}

/** What the stand-in works with. */
export interface StandbyParts {
  readonly journal: Journal
  readonly roster: Pick<Roster, 'send'>
  readonly models: Models
  /** What a student had done before a request. */
  readonly studentBefore: (place: Place, request: Request) => Promise<StudentState | undefined>
  /** Whether the stream's token allows sending. */
  readonly mayWrite: (stream: string) => boolean
}

/** How it stands with the primary on one stream. Times are monotonic. */
export interface StandbyStatus extends AvailabilityFigures {
  readonly stream: string
  /** It did not reply in time, and has not replied since. */
  readonly silent: boolean
  /** Whether this Pi answers there when the primary does not. */
  readonly answers: boolean
}

/**
 * Watches what students' dashboards ask for on each stream, and answers where the primary does not. It reads the journal
 * as a reader does: what is not on record has not happened. Where it does not answer, it says what it would have done.
 */
export class Standby {
  readonly #world: World
  readonly #options: StandbyOptions
  readonly #parts: StandbyParts
  readonly #log: Log
  readonly #lines = new Map<string, Line>()
  readonly #context: LineContext
  readonly #stopping = new AbortController()
  #cursor: Cursor | undefined
  readonly #reading = new InTurn()
  #running: Promise<void> = Promise.resolve()
  /** What comes from here on comes while this process runs. */
  #beganAt = 0
  #keptUs: Us
  #changed = false
  #overrun = false

  constructor(world: World, options: StandbyOptions, parts: StandbyParts, log: Log) {
    this.#world = world
    this.#options = options
    this.#parts = parts
    this.#log = log
    this.#keptUs = world.clock.monoUs()
    const { mode, afterMs, readIntervalMs } = options
    const slackMs = mode === 'observe' ? readIntervalMs : 0
    this.#context = {
      world,
      log,
      watch: {
        waitMs: afterMs + slackMs,
        atOnce: mode === 'always',
        jitterMs: () => world.random.fraction() * JITTER_MS
      },
      answersOn: (stream) => this.answersOn(stream),
      upToNow: () => this.#upToNow(),
      answer: async ({ place, request }, wanted) => {
        const student = await parts.studentBefore(place, request)
        const { corrected = false } = options
        const answer = reply(request, wanted, student, parts.models, { corrected })
        // The space tells other Pis whose it is: the primary's never begin with one.
        return answer && ` ${JSON.stringify(answer)}`
      },
      send: (stream, text) => this.#send(stream, text),
      turned: (stream, silent, sinceUs) => this.#turned(stream, silent, sinceUs)
    }
  }

  /** Whether it answers on a stream, and not only says what it would do. */
  answersOn(stream: string): boolean {
    return this.#options.mode !== 'observe' && this.#parts.mayWrite(stream)
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Nothing is sent any more from the moment that it is called. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#lines.values()].map((line) => line.stop()))
    await this.#running
    await this.#reading.idle()
    await this.#keep()
  }

  /** One of each stream on which anything was asked, or which is silent, in order of their names. */
  status(): StandbyStatus[] {
    const nowUs = this.#world.clock.monoUs()
    const lines = [...this.#lines].sort(([a], [b]) => (a < b ? -1 : 1))
    return lines.map(([stream, { watch, availability }]) => {
      availability.settle(nowUs)
      return { stream, silent: watch.silent, answers: this.answersOn(stream), ...availability.figures }
    })
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        if (!this.#cursor) await this.#begin()
        await this.#read()
        await this.#cursor!.wait(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#log.error({ err: error }, 'the stand-in failed; it tries again')
        await sleep(this.#world.timers, RETRY_MS, signal)
      }
    }
  }

  /** Goes on where the last process was; only what is not too old is still answered. */
  async #begin(): Promise<void> {
    const { journal } = this.#parts
    const place = journal.readers.place(READER)
    this.#beganAt = journal.nextPosition
    const kept = place && place.position >= journal.firstPosition && place.position <= journal.nextPosition
    const silent = kept ? await journal.readers.get(READER, SILENT) : undefined
    for (const stream of silent ? (JSON.parse(silent.toString()) as string[]) : [])
      this.#line(stream).watch.silent = true
    this.#cursor = journal.cursor({ position: kept ? place.position : journal.nextPosition })
  }

  /** What has come is committed and read, so that a reply that is already here is seen. */
  async #upToNow(): Promise<void> {
    const { clock, timers } = this.#world
    for (let left = MOST_COMMITS; left > 0 && !this.#stopping.signal.aborted; left--) {
      const askedUs = clock.monoUs()
      await new Promise<void>((resolve) => timers.afterInput(resolve))
      await this.#committed()
      await this.#read()
      if (clock.monoUs() - askedUs <= SLOW_US) return
    }
  }

  /** Resolves when everything so far is on the disk; a disk that does not answer must not keep it from stopping. */
  #committed(): Promise<void> {
    const { signal } = this.#stopping
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve()
      signal.addEventListener('abort', stop)
      const committed = this.#parts.journal.commit().then(resolve, reject)
      void committed.finally(() => signal.removeEventListener('abort', stop))
    })
  }

  #read(): Promise<void> {
    return this.#reading.run(() => this.#readOn())
  }

  async #readOn(): Promise<void> {
    const { journal } = this.#parts
    while (!this.#stopping.signal.aborted && this.#cursor) {
      let entries: Entry[]
      try {
        entries = await this.#cursor.next()
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        this.#log.warn({ err: error }, 'the stand-in cannot read what has come, and goes on behind it')
        for (const { watch, availability } of this.#lines.values()) {
          watch.silent = false
          watch.lost()
          availability.forget()
        }
        this.#cursor = journal.cursor({ position: journal.nextPosition })
        return
      }
      if (entries.length === 0) break
      for (const entry of entries) this.#take(entry)
    }
    for (const line of this.#lines.values()) line.plan()
    const isDue = this.#world.clock.monoUs() - this.#keptUs >= KEEP_US
    if (isDue || this.#changed) await this.#keep()
  }

  #take(entry: Entry): void {
    if (entry.late) return
    if (entry.kind === 'event') this.#takeEvent(entry)
    else if (entry.origin !== 'import') this.#takeFrame(entry)
  }

  #takeFrame(frame: Frame): void {
    const said = saidIn(frame.payload)
    if (said.length === 0) return
    const { stream, origin, monoUs, position } = frame
    const isNew = position >= this.#beganAt
    const { watch, availability } = this.#line(stream)
    if (isNew) heed(availability, said, origin, monoUs)
    const { boot, monoUs: now } = this.#world.clock
    const nowUs = now.call(this.#world.clock)
    for (const one of said) {
      if (one.kind === 'reply' && origin === 'own') {
        if (!isNew) watch.answeredBefore(one.reply)
      } else if (frame.boot !== boot) {
        // Times of another boot cannot be compared, and what was asked then is too old.
        if (one.kind === 'reply' && !one.marked) watch.silent = false
      } else if (one.kind === 'request') {
        if (nowUs - monoUs > TOO_OLD_US) continue
        this.#overran(stream, !watch.requested(one.request, { position, part: one.part }, monoUs))
      } else if (one.marked) watch.answered(one.reply, monoUs)
      else {
        const { silent } = watch
        watch.replied(one.reply, monoUs)
        if (silent && isNew) this.#turned(stream, false, monoUs)
      }
    }
  }

  #takeEvent({ event, position }: EventEntry): void {
    if (!('stream' in event)) return
    const line = this.#lines.get(event.stream)
    switch (event.event) {
      case 'primary':
        if (position < this.#beganAt) this.#line(event.stream).watch.silent = event.state === 'silent'
        break
      case 'doubt':
        line?.watch.doubted(true)
        break
      case 'settled':
        line?.watch.doubted(false)
        break
      case 'uncertain':
      case 'gap':
        line?.watch.lost()
        line?.availability.forget()
        break
    }
  }

  #line(stream: string): Line {
    let line = this.#lines.get(stream)
    if (!line) {
      line = new Line(this.#context, stream)
      this.#lines.set(stream, line)
    }
    return line
  }

  #send(stream: string, payload: string): boolean {
    const { journal, roster } = this.#parts
    if (this.#stopping.signal.aborted || !roster.send(stream, payload)) return false
    // The relay never echoes it.
    journal.append({ stream, payload: Buffer.from(payload), binary: false, origin: 'own' })
    // At once: after a restart it is known by this that it was answered.
    journal.commit().catch(() => {})
    return true
  }

  #turned(stream: string, silent: boolean, sinceUs: Us): void {
    const { journal } = this.#parts
    const { boot } = this.#world.clock
    journal.note({ event: 'primary', stream, state: silent ? 'silent' : 'back', boot, sinceUs })
    this.#log.info({ stream }, silent ? 'the primary does not reply' : 'the primary replies again')
    this.#changed = true
  }

  #overran(stream: string, overrun: boolean): void {
    if (overrun && !this.#overrun) this.#log.warn({ stream }, 'more is asked for than can be answered')
    this.#overrun = overrun
  }

  async #keep(): Promise<void> {
    if (!this.#cursor) return
    this.#keptUs = this.#world.clock.monoUs()
    this.#changed = false
    const silent = [...this.#lines].filter(([, { watch }]) => watch.silent).map(([stream]) => stream)
    const value = Buffer.from(JSON.stringify(silent.sort()))
    try {
      await this.#parts.journal.readers.commit(READER, this.#cursor.place, [[SILENT, value]])
    } catch (error) {
      // The next time; until then a restart goes back a little further.
      this.#log.debug({ err: error }, 'the place of the stand-in could not be kept')
    }
  }
}
