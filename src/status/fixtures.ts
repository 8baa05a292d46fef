import { transitions } from '../analytics/count.ts'
import type { StudentGraph } from '../analytics/student-graphs.ts'
import type { CaptureStatus } from '../captures/capture-status.ts'
import { DAY_MS, NOW_MS, report } from '../health/fixtures.ts'
import { judge } from '../health/judge.ts'
import type { Report } from '../health/report.ts'
import type { Frame } from '../journal/entry.ts'
import type { StreamCoverage } from '../journal/reading.ts'
import type { SyncStatus } from '../sync/sync.ts'
import type { JournalView, StatusSources } from './sources.ts'

/** Heard all the time, but for what is given. */
function covered(stream: string, rest: StreamCoverage['rest'] = []): StreamCoverage {
  const [fromUs, toUs] = [(NOW_MS - DAY_MS) * 1000, NOW_MS * 1000]
  const unheardUs = rest.reduce((sum, part) => sum + part.toUs - part.fromUs, 0)
  const heardUs = toUs - fromUs - unheardUs
  return { stream, fromUs, toUs, heardUs, share: heardUs / (toUs - fromUs), rest }
}

/** Of somebody who has given these commands of the spinner, by their numbers. */
export function studentGraph(user: string, commands: readonly number[], lastMs: number = NOW_MS): StudentGraph {
  const matrix = transitions('spinner', commands)
  const counted = { matrix, feedback: [], commands: commands.length, lastMs }
  return { user, exp: 'spinner', course: 'cie3', ...counted }
}

/** A recorder as the page sees it. What a test changes in it shows from then on. */
export class FakeRecorder implements StatusSources {
  current: Report
  coverage: StreamCoverage[]
  isInTerm: StatusSources['inTerm'] = () => true
  graphs: readonly StudentGraph[] = []
  /** What the journal holds. */
  past: readonly Frame[] = []
  readonly lines: string[] = ['{"level":"info","msg":"recording"}']
  readonly versions = { node: '24.0.0' }
  handed: SyncStatus
  made: readonly CaptureStatus[] = []
  readonly #commits = new Set<() => void>()
  readonly #changes = new Set<() => void>()

  constructor(changes: Partial<Report> = {}) {
    this.current = report(changes)
    this.coverage = this.current.streams.map(({ stream }) => covered(stream))
    this.handed = {
      confirmed: 30,
      unsent: [],
      waiting: [],
      differing: [],
      erasing: [],
      failure: undefined,
      doneMs: NOW_MS - 3_600_000,
      problems: []
    }
  }

  report = (): Report => this.current
  verdict: StatusSources['verdict'] = (given) => judge(given)
  onChange: StatusSources['onChange'] = (listener) => {
    this.#changes.add(listener)
    return () => this.#changes.delete(listener)
  }
  captures: StatusSources['captures'] = () => Promise.resolve(this.made)
  sync: StatusSources['sync'] = () => Promise.resolve(this.handed)
  inTerm: StatusSources['inTerm'] = (atMs) => this.isInTerm(atMs)
  students: StatusSources['students'] = () => each(this.graphs)
  logged: StatusSources['logged'] = () => this.lines
  journal = (): JournalView => ({
    nextPosition: 1,
    range: () => inBatches(this.past),
    coverage: async ({ streams = [] } = {}) => this.coverage.filter(({ stream }) => streams.includes(stream)),
    onCommit: (listener) => {
      this.#commits.add(listener)
      return () => this.#commits.delete(listener)
    }
  })

  /** Something has come, and is on the disk. */
  commit(changes: Partial<Report>): void {
    this.current = { ...this.current, ...changes }
    for (const told of this.#commits) told()
  }

  /** How many are told of commits. */
  get listeners(): number {
    return this.#commits.size + this.#changes.size
  }
}

async function* inBatches(frames: readonly Frame[]): AsyncGenerator<Frame[]> {
  yield [...frames]
}

async function* each<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all
}
