import type { CaptureConfig } from '../config/config.ts'
import { streamMatcher } from '../config/patterns.ts'
import { UnderstudyError } from '../errors.ts'
import type { Frame } from '../journal/entry.ts'
import type { Journal } from '../journal/journal.ts'
import type { BlockSpan } from '../journal/reading.ts'
import type { Us } from '../world/time.ts'
import { holds, type Ledger, type OpenWindow, type Progress } from './ledger.ts'
import { Schedule, type Window } from './schedule.ts'

/** What is read of the journal at a time. */
const READ_BYTES = 1 << 18

/** A capture with its windows. */
export class Capture {
  readonly config: CaptureConfig
  readonly schedule: Schedule
  /** Whether it captures every stream. */
  readonly whole: boolean
  readonly #matches: (stream: string) => boolean
  readonly #known = new Map<string, boolean>()

  constructor(config: CaptureConfig) {
    this.config = config
    this.schedule = new Schedule(config.schedule, config.durationMs, config.timeZone)
    this.whole = config.streams.length === 0
    this.#matches = this.whole ? () => true : streamMatcher(config.streams)
  }

  get name(): string {
    return this.config.name
  }

  readonly wants = (stream: string): boolean => {
    const known = this.#known.get(stream)
    if (known !== undefined) return known
    const wanted = this.#matches(stream)
    this.#known.set(stream, wanted)
    return wanted
  }

  /** The same list as long as the windows are the same. */
  windowsAt(timeUs: Us): readonly Window[] {
    return this.schedule.holding(timeUs)
  }
}

/**
 * Goes through the journal, and notes for each capture in which of its windows there are frames that are in no folder
 * yet. To be called only while the time is known: then the true time of everything before is known too, and for good.
 * @param touched told the windows that have been sealed and for which there is more now
 */
export async function file(
  journal: Journal,
  ledger: Ledger,
  captures: readonly Capture[],
  from: Progress,
  touched: (capture: Capture, window: Window) => void,
  signal: AbortSignal
): Promise<Progress> {
  const place = from.place.position < journal.firstPosition ? { position: journal.firstPosition } : from.place
  const books = captures.map((capture) => new Book(capture, ledger, from, touched))
  let knownTo = journal.nextPosition
  let timeline = await journal.timeline()
  const passOver = ({ firstPosition, count, earliestUs, latestUs }: BlockSpan): boolean => {
    signal.throwIfAborted()
    const isRight = firstPosition + count <= knownTo && !timeline.mayCorrect(firstPosition, firstPosition + count)
    return isRight && books.every((book) => book.has(earliestUs, latestUs))
  }
  const cursor = journal.cursor({ ...place, passOver })
  for (;;) {
    signal.throwIfAborted()
    const entries = await cursor.next(READ_BYTES).catch((error: unknown) => {
      if (error instanceof UnderstudyError && error.code === 'UNDERSTUDY_CURSOR_TOO_OLD') return []
      throw error
    })
    if (entries.length === 0) break
    knownTo = journal.nextPosition
    timeline = await journal.timeline()
    for (const entry of entries) {
      if (entry.kind !== 'frame') continue
      const frame = timeline.correct(entry)
      for (const book of books) book.take(frame)
    }
  }
  const open = { ...from.open }
  const outside = { ...from.outside }
  for (const book of books) {
    open[book.capture.name] = [...book.open.values()]
    if (book.outside !== undefined) outside[book.capture.name] = book.outside
  }
  return { ...from, place: cursor.place, open, outside }
}

/** What is open of one capture. */
class Book {
  readonly capture: Capture
  readonly open: Map<string, OpenWindow>
  outside: number | undefined
  readonly #ledger: Ledger
  readonly #touched: (capture: Capture, window: Window) => void
  /** Windows of which every frame from here on is open, and none has been sealed. */
  #plain: readonly Window[] | undefined
  readonly #undated: boolean

  constructor(
    capture: Capture,
    ledger: Ledger,
    { open, outside }: Progress,
    touched: (capture: Capture, window: Window) => void
  ) {
    this.capture = capture
    this.open = new Map((open[capture.name] ?? []).map((window) => [window.label, window]))
    this.outside = outside[capture.name]
    this.#ledger = ledger
    this.#touched = touched
    this.#undated = ledger.undated(capture.name).length > 0
  }

  /** Whether frames of that time, which came after those so far, change nothing. */
  has(earliestUs: Us, latestUs: Us): boolean {
    // What was recorded earlier than 1970 counts as of then.
    if (this.#plain === undefined || earliestUs <= 0) return false
    return this.capture.windowsAt(earliestUs) === this.#plain && this.capture.windowsAt(latestUs) === this.#plain
  }

  take(frame: Frame): void {
    const { name, wants } = this.capture
    if (!wants(frame.stream)) return
    const timeUs = frame.trueUs ?? frame.wallUs
    const windows = this.capture.windowsAt(timeUs)
    if (windows === this.#plain) return
    if (this.#undated && this.#ledger.undated(name).some((sealed) => holds(sealed, frame, timeUs))) return
    let plain = !this.#undated && !frame.late
    if (windows.length === 0) this.outside = Math.min(this.outside ?? frame.position, frame.position)
    for (const window of windows) {
      const parts = this.#ledger.parts(name, window.label)
      if (parts.some((sealed) => holds(sealed, frame, timeUs))) {
        plain = false
        continue
      }
      if (parts.length > 0) {
        plain = false
        this.#touched(this.capture, window)
      }
      const first = Math.min(this.open.get(window.label)?.first ?? frame.position, frame.position)
      this.open.set(window.label, { ...window, first })
    }
    if (plain) this.#plain = windows
  }
}
