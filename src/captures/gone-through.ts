import type { Journal } from '../journal/journal.ts'
import type { KnownLate } from '../journal/timeline.ts'
import type { Log } from '../log.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { type Capture, file } from './filing.ts'
import { beginning, Ledger, type Progress } from './ledger.ts'
import { unfinishedName } from './seal.ts'
import { capturesPath } from './sealed.ts'

/** While no window ends the journal is gone through, and the place in it kept, this often. */
const KEEP_US = 600_000_000

/** The ledger, opened when it is first asked for, and how far the journal has been gone through. */
export class GoneThrough {
  readonly #world: World
  readonly #journal: Journal
  readonly #captures: readonly Capture[]
  readonly #directory: string
  readonly #log: Log
  #opened: Promise<Ledger> | undefined
  #progress: Progress | undefined
  #keptUs: Us

  /** @param directory the data folder */
  constructor(world: World, journal: Journal, captures: readonly Capture[], directory: string, log: Log) {
    this.#world = world
    this.#journal = journal
    this.#captures = captures
    this.#directory = directory
    this.#log = log
    this.#keptUs = world.clock.monoUs()
  }

  ledger(): Promise<Ledger> {
    this.#opened ??= this.#open().catch((error: unknown) => {
      this.#opened = undefined
      throw error
    })
    return this.#opened
  }

  /** Absent before the journal has ever been gone through. */
  get progress(): Progress | undefined {
    return this.#progress
  }

  get orBeginning(): Progress {
    return this.#progress ?? { ...beginning, place: { position: this.#journal.firstPosition } }
  }

  /** The ledger has kept this already. */
  set kept(progress: Progress) {
    this.#progress = progress
    this.#keptUs = this.#world.clock.monoUs()
  }

  /** Whether the last time is long ago. */
  get isKeepingDue(): boolean {
    return this.#world.clock.monoUs() - this.#keptUs >= KEEP_US
  }

  async keep(progress: Progress): Promise<void> {
    await (await this.ledger()).keep(progress)
    this.kept = progress
  }

  /** Another state of it, kept when that is due. */
  async note(progress: Progress): Promise<void> {
    this.#progress = progress
    if (this.isKeepingDue) await this.keep(progress)
  }

  /**
   * Goes on to the journal's end; only while the time is known.
   * @returns the windows, as capture and label, that have been sealed and for which there is more now
   */
  async goOn(nowUs: Us, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const ledger = await this.ledger()
    const before = this.#progress
    const { position } = this.orBeginning.place
    const begun = await this.#begin(nowUs)
    const touched = new Set<string>()
    const filed = await file(
      this.#journal,
      ledger,
      this.#captures,
      { ...begun, knownUs: nowUs, unknownUs: 0, heldUs: 0 },
      (capture, { label }) => touched.add(`${capture.name} ${label}`),
      signal
    )
    const late = (await this.#journal.timeline()).knownLate(position)
    const progress = this.#withEarly(filed, ledger, nowUs, late)
    if (before === undefined || begun !== before) await this.keep(progress)
    else await this.note(progress)
    return touched
  }

  async #open(): Promise<Ledger> {
    await clearUnfinished(this.#world, this.#directory)
    const ledger = await Ledger.open(this.#journal, this.#world.files, this.#directory, this.#log)
    this.#progress = ledger.progress
    return ledger
  }

  /**
   * A clock that was ahead has sealed windows before their end: they are open until then. So are those that were sealed
   * before it was known when something was heard, and that end after that, and those whose last folder is lost.
   */
  #withEarly(filed: Progress, ledger: Ledger, nowUs: Us, late: readonly KnownLate[]): Progress {
    const first = filed.place.position - 1
    const open = { ...filed.open }
    for (const { name } of this.#captures) {
      const windows = new Map((open[name] ?? []).map((window) => [window.label, window]))
      for (const { window, before, lost } of ledger.entries(name)) {
        if (!window || windows.has(window.label)) continue
        const isEarly = window.toUs > nowUs || late.some(({ to, fromUs }) => before < to && window.toUs > fromUs)
        const isLost = lost && ledger.parts(name, window.label).at(-1)?.lost
        if (isEarly || isLost) windows.set(window.label, { ...window, first })
      }
      open[name] = [...windows.values()]
    }
    return { ...filed, open }
  }

  /** When each capture begins is settled when it is first seen. */
  async #begin(nowUs: Us): Promise<Progress> {
    const progress = this.orBeginning
    const fresh = this.#captures.filter(({ name }) => progress.begun[name] === undefined)
    if (fresh.length === 0) return progress
    const beginUs = this.#progress && Object.keys(this.#progress.begun).length > 0 ? nowUs : await this.#firstUs(nowUs)
    for (const { name } of fresh) this.#journal.note({ event: 'capture', capture: name, beginUs })
    const begun = Object.fromEntries(fresh.map(({ name }) => [name, beginUs]))
    return { ...progress, begun: { ...progress.begun, ...begun } }
  }

  /** The time of the first entry kept, where it is known. */
  async #firstUs(nowUs: Us): Promise<Us> {
    const [entry] = await this.#journal.cursor().next(1)
    const timeline = await this.#journal.timeline()
    return entry && timeline.knows(entry.boot) ? Math.min(nowUs, timeline.wallUs(entry.boot, entry.monoUs)) : nowUs
  }
}

/** What a process left that ended in the middle. */
async function clearUnfinished({ files }: World, directory: string): Promise<void> {
  const root = capturesPath(directory)
  if (!(await files.info(root))) return
  for (const capture of await files.list(root)) {
    if (capture.kind !== 'directory') continue
    for (const { name } of await files.list(`${root}/${capture.name}`)) {
      const isUnfinished = name === unfinishedName(name.slice(1, -4))
      if (isUnfinished) await files.remove(`${root}/${capture.name}/${name}`)
    }
  }
}
