import type { Position } from '../journal/entry.ts'
import type { Journal } from '../journal/journal.ts'
import type { Log } from '../log.ts'
import type { World } from '../world/world.ts'
import { keyText, type Matrix } from './count.ts'
import type { Key } from './count-message.ts'
import { studentGraphs } from './readers/student-graphs.ts'
import { type ReaderStatus, RunningReader } from './running-reader.ts'
import type { Base, StudentState } from './student-state.ts'

/** What is known of a student in one experiment of one course. */
export interface StudentGraph extends Key {
  /** Rows are from, columns are to. */
  readonly matrix: Matrix
  /** Rows are states, columns are subjects. */
  readonly feedback: Matrix
  readonly commands: number
  /** When the last message was received, ms since 1970. */
  readonly lastMs: number
}

/** Rows are from and states, columns are to and subjects. */
export type StudentTables = Pick<StudentGraph, 'matrix' | 'feedback'>

/** What a primary had counted of a student. */
export interface StudentBase extends Base {
  readonly key: Key
}

/** The graphs of all students of whom there is anything in the journal, or was. */
export class StudentGraphs {
  private readonly reader: RunningReader<StudentState>

  constructor(world: World, journal: Journal, log: Log) {
    this.reader = new RunningReader(world, journal, studentGraphs, log)
    journal.beforeRemoval((position, how) => this.reader.beforeRemoval(position, how))
  }

  /** From now on it reads the journal by itself. */
  start(): void {
    this.reader.start()
  }

  stop(): Promise<void> {
    return this.reader.stop()
  }

  /** `undefined` before it has begun. */
  get status(): ReaderStatus | undefined {
    return this.reader.status
  }

  /**
   * Resolves when everything before a position has been taken into account: the journal's `nextPosition`, after a commit.
   * @throws what keeps it from being read; UNDERSTUDY_JOURNAL_CLOSED when it is stopped
   */
  readTo(position: Position): Promise<void> {
    return this.reader.readTo(position)
  }

  /** As of what has been read; `undefined` of whom there is nothing. */
  student(key: Key): Promise<StudentGraph | undefined> {
    return this.reader.use(keyText(key), graphOfState)
  }

  /** A student's tables as they were when a message came, which must have been read: without what has come since. */
  before(key: Key, place: { readonly position: Position; readonly part: number }): Promise<StudentTables | undefined> {
    return this.reader.use(keyText(key), (state) => {
      const earlier = state.before(place)
      return { matrix: earlier.matrix(), feedback: earlier.feedback() }
    })
  }

  /** In order of user, experiment and course. */
  students(): AsyncGenerator<StudentGraph> {
    return this.reader.all((_, state) => graphOfState(state))
  }

  /**
   * Goes on from what a primary had counted: what was received until then is in it, and only what came later is added.
   * @returns how many were taken: not those of whom a later one was taken before
   */
  async takeBases(bases: readonly StudentBase[]): Promise<number> {
    const taken = new Set<string>()
    const changes = bases.map((base) => {
      const name = keyText(base.key)
      const change = (state: StudentState): void => {
        if (state.takeBase(base)) taken.add(name)
      }
      return [name, change] as const
    })
    await this.reader.change(changes)
    return taken.size
  }

  /** Computes all graphs anew. Until that is done, the former ones are given. */
  rebuild(): Promise<void> {
    return this.reader.rebuild()
  }
}

function graphOfState(state: StudentState): StudentGraph {
  const { key, commands, lastMs } = state
  return { ...key, matrix: state.matrix(), feedback: state.feedback(), commands, lastMs }
}
