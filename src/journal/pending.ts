import { UnderstudyError } from '../errors.ts'
import type { Clock, Ms, Us } from '../world/time.ts'
import type { Entry, EventEntry, Frame, JournalEvent, NewFrame, Position, Stamp } from './entry.ts'
import type { StreamStates } from './stream-state.ts'
import type { Timekeeper } from './timekeeper.ts'

/** What one commit takes at most; the rest follows in the next. */
const COMMIT_BYTES = 8 * 1024 * 1024
/** What an entry costs in memory besides its payload, for the bound on what waits: empty frames count too. */
export const ENTRY_BYTES = 200

/** What has come and is not on the disk: entries get their numbers and times here, and wait in order for a commit. */
export class Pending {
  /** The streams as of the last entry. */
  readonly states: StreamStates
  readonly #clock: Clock
  readonly #time: Timekeeper
  readonly #came: () => void
  #entries: Entry[] = []
  #bytes = 0
  /** When the oldest of them was appended, monotonic time. */
  #sinceUs: Us | undefined
  /** The same of those that were taken. */
  #takenSinceUs: Us | undefined
  #nextPosition: Position
  /** What is put on record now was so then: set until what was heard before the start is on record. */
  #past: Stamp | undefined
  #closed = false

  /** @param came called after each entry */
  constructor(clock: Clock, time: Timekeeper, states: StreamStates, nextPosition: Position, came: () => void) {
    this.#clock = clock
    this.#time = time
    this.states = states
    this.#nextPosition = nextPosition
    this.#came = came
  }

  /** Of the next entry. */
  get nextPosition(): Position {
    return this.#nextPosition
  }

  /** What waits, about as it is in memory, with what was taken and is not done. */
  get bytes(): number {
    return this.#bytes
  }

  /** When the oldest entry was appended that is not on the disk: what was heard after that is not yet proved. */
  get sinceUs(): Us | undefined {
    return this.#takenSinceUs ?? this.#sinceUs
  }

  /** How long that one has waited. */
  get waitedMs(): Ms {
    return this.sinceUs === undefined ? 0 : (this.#clock.monoUs() - this.sinceUs) / 1000
  }

  /** How many frames wait. */
  get frames(): number {
    return this.#entries.filter(({ kind }) => kind === 'frame').length
  }

  stamp(): Stamp {
    return this.#past ?? this.#time.stamp()
  }

  /** What is put on record from here on was so at that time; `undefined`: goes by the present time again. */
  goBack(past: Stamp | undefined): void {
    this.#past = past
    if (past) return
    this.#time.changed = (steppedUs) => {
      if (!this.#closed) this.note({ event: 'clock', steppedUs })
    }
  }

  /** @throws UNDERSTUDY_JOURNAL_CLOSED */
  append(frame: NewFrame): Frame {
    const seq = this.states.of(frame.stream).seq + 1
    const { stamp = this.stamp(), ...rest } = frame
    return this.#add({ kind: 'frame', position: this.#nextPosition, seq, ...rest, ...stamp })
  }

  /** @throws UNDERSTUDY_JOURNAL_CLOSED */
  note(event: JournalEvent): EventEntry {
    const payload = Buffer.from(JSON.stringify(event))
    // The stamp first: taking it may itself note a step of the clock, which then comes before.
    const stamp = this.stamp()
    return this.#add({ kind: 'event', position: this.#nextPosition, event, payload, ...stamp })
  }

  #add<E extends Entry>(entry: E): E {
    if (this.#closed) throw new UnderstudyError('UNDERSTUDY_JOURNAL_CLOSED')
    this.#nextPosition++
    this.#entries.push(entry)
    this.#sinceUs ??= this.#clock.monoUs()
    this.#bytes += ENTRY_BYTES + entry.payload.length
    this.states.follow(entry)
    this.#came()
    return entry
  }

  /** Gives what the next commit is to hold, which `done` or `putBack` is then told of. */
  take(): Entry[] {
    this.#takenSinceUs = this.#sinceUs
    let bytes = 0
    const count = this.#entries.findIndex(({ payload }, index) => {
      bytes += payload.length
      return bytes > COMMIT_BYTES && index > 0
    })
    if (count === -1) this.#sinceUs = undefined
    return this.#entries.splice(0, count === -1 ? this.#entries.length : count)
  }

  /** What was taken waits again. */
  putBack(taken: readonly Entry[]): void {
    this.#entries = [...taken, ...this.#entries]
    this.#sinceUs = this.#takenSinceUs
  }

  /** What was taken is on the disk. */
  done(taken: readonly Entry[]): void {
    this.#takenSinceUs = undefined
    for (const { payload } of taken) this.#bytes -= ENTRY_BYTES + payload.length
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Nothing more is taken in. */
  close(): void {
    this.#closed = true
  }
}
