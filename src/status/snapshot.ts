import type { CaptureStatus } from '../captures/capture-status.ts'
import { KnownSealed, type SealedFolder } from '../captures/sealed.ts'
import { Zone } from '../captures/zone.ts'
import type { Config } from '../config/config.ts'
import type { Report } from '../health/report.ts'
import type { Verdict } from '../health/verdict.ts'
import type { StreamCoverage } from '../journal/reading.ts'
import type { SyncStatus } from '../sync/sync.ts'
import type { Ms, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { Activity, BIN_MS } from './activity.ts'
import type { StatusSources } from './sources.ts'

export const DAY_MS: Ms = 86_400_000
/** What takes reading is read again after so long, or when something has happened. */
const STALE_US: Us = 30_000_000

/** Everything that a page shows, as of one moment. */
export interface Snapshot {
  readonly report: Report
  readonly verdict: Verdict
  /** The site's. */
  readonly zone: Zone
  /** Where the strips begin: a day ago, at a border of bins. */
  readonly fromMs: Ms
  /** Since then, by stream; empty while the journal is not open. */
  readonly coverage: ReadonlyMap<string, StreamCoverage>
  readonly captures: readonly CaptureStatus[]
  readonly sealed: readonly SealedFolder[]
  readonly sync: SyncStatus | undefined
  readonly activity: Activity
  readonly inTerm: (atMs: Ms) => boolean
}

type Read = Pick<Snapshot, 'coverage' | 'captures' | 'sealed' | 'sync'>

/** Makes snapshots, and spares the disk: what takes reading is shared by all who look. */
export class Snapshots {
  readonly activity: Activity
  readonly #world: World
  readonly #sources: StatusSources
  readonly #zone: Zone
  readonly #sealed: KnownSealed
  #key = ''
  #readUs: Us = 0
  #read: Promise<Read> | undefined

  constructor(world: World, config: Config, sources: StatusSources) {
    this.#world = world
    this.#sources = sources
    this.#zone = new Zone(config.timeZone)
    this.#sealed = new KnownSealed(world.files, config.data.directory)
    this.activity = new Activity(world.timers, sources.report)
  }

  async take(): Promise<Snapshot> {
    const { inTerm } = this.#sources
    const report = this.#sources.report()
    const fromMs = Math.ceil((report.nowMs - DAY_MS) / BIN_MS) * BIN_MS
    const read = await this.#reading(report, fromMs)
    const verdict = this.#sources.verdict(report)
    return { report, verdict, zone: this.#zone, fromMs, ...read, activity: this.activity, inTerm }
  }

  /** Of any streams and period, up to now. */
  async coverage(query: { streams: readonly string[]; fromMs: Ms; toMs: Ms }): Promise<StreamCoverage[]> {
    const { streams, fromMs, toMs } = query
    const found = await this.#sources.journal()?.coverage({ streams, fromUs: fromMs * 1000, toUs: toMs * 1000 })
    return found ?? []
  }

  sealed(): Promise<SealedFolder[]> {
    return this.#sealed.all()
  }

  #reading({ streams, captures, sync, journal }: Report, fromMs: Ms): Promise<Read> {
    const nowUs = this.#world.clock.monoUs()
    const states = streams.map(({ stream, state, unheardSinceMs }) => [stream, state === 'unheard', unheardSinceMs])
    const key = JSON.stringify([fromMs, states, captures, sync, journal.open])
    if (!this.#read || key !== this.#key || nowUs - this.#readUs > STALE_US) {
      this.#key = key
      this.#readUs = nowUs
      const reading = this.#readAll(
        streams.map(({ stream }) => stream),
        fromMs
      )
      this.#read = reading
      reading.catch(() => {
        if (this.#read === reading) this.#read = undefined
      })
    }
    return this.#read
  }

  async #readAll(streams: readonly string[], fromMs: Ms): Promise<Read> {
    const { captures, sync } = this.#sources
    const [coverage, made, sealed, handed] = await Promise.all([
      this.coverage({ streams, fromMs, toMs: fromMs + 2 * DAY_MS }),
      captures(),
      this.#sealed.all(),
      sync()
    ])
    return {
      coverage: new Map(coverage.map((one) => [one.stream, sinceStarted(one)])),
      captures: made ?? [],
      sealed,
      sync: handed
    }
  }
}

/** Without the time before the first record: nobody has promised anything of it. */
export function sinceStarted(coverage: StreamCoverage): StreamCoverage {
  const { fromUs, toUs, heardUs, rest } = coverage
  const [first, ...others] = rest
  if (first?.cause !== 'not started' || first.fromUs !== fromUs) return coverage
  const lengthUs = toUs - first.toUs
  return { ...coverage, fromUs: first.toUs, share: lengthUs > 0 ? heardUs / lengthUs : 1, rest: others }
}
