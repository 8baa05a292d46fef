import { type Key, readCounted, type Skip } from './count-message.ts'
import { type Experiment, nodesOf, states, subjectsOf } from './experiments.ts'

/** Rows are from, columns are to; or states and subjects. */
export type Matrix = readonly (readonly number[])[]

/** A command's place in time. */
export interface Timed {
  /** The browser's time, ms since 1970; absent when it is missing or absurd. */
  readonly tMs: number | undefined
}

/** In order of `t`; what has none stays behind what it came behind. */
export function inOrderOfTime<E extends Timed>(entries: readonly E[]): E[] {
  let lastMs = Number.NEGATIVE_INFINITY
  const timed = entries.map((entry) => {
    lastMs = entry.tMs ?? lastMs
    return { entry, timeMs: lastMs }
  })
  // -∞ − -∞ is no number: they are equal
  return timed.sort((a, b) => a.timeMs - b.timeMs || 0).map(({ entry }) => entry)
}

/**
 * Whether commands go by `t`: when they came from more than one piece of hardware or some came late, by an import; else
 * they go by arrival.
 */
export function goesByTime(hardware: ReadonlySet<unknown>, late: boolean): boolean {
  return hardware.size > 1 || late
}

/** How often each command followed each other. */
export function transitions(exp: Experiment, nodes: readonly number[]): Matrix {
  const size = nodesOf[exp].length
  const matrix = zeros(size, size)
  for (let index = 1; index < nodes.length; index++) matrix[nodes[index - 1]!]![nodes[index]!]!++
  return matrix
}

/** What one student has done in one experiment of one course. */
export class Student<M> {
  readonly key: Key
  readonly feedback: number[][]
  feedbackCount = 0
  private readonly given: Array<Timed & { readonly node: number }> = []
  private lastGiven: M | undefined
  private newest: M | undefined
  private newestMs = Number.NEGATIVE_INFINITY
  private readonly hardware = new Set<string>()
  private late = false
  private lastMs = Number.NEGATIVE_INFINITY

  constructor(key: Key) {
    this.key = key
    this.feedback = zeros(states.length, subjectsOf(key.exp, key.course).length)
  }

  /** How many commands were given. */
  get commands(): number {
    return this.given.length
  }

  /** How often each command followed each other, in the order that `goesByTime` tells. */
  matrix(): Matrix {
    const ordered = this.byTime ? inOrderOfTime(this.given) : this.given
    return transitions(
      this.key.exp,
      ordered.map(({ node }) => node)
    )
  }

  /** The command that the next one will follow: what was given along with it. */
  get last(): M | undefined {
    return this.byTime ? this.newest : this.lastGiven
  }

  /** @param late it came out of its order, by an import */
  command(command: Timed & { readonly node: number; readonly hardware: string }, message: M, late: boolean): void {
    const { node, tMs, hardware } = command
    this.given.push({ node, tMs })
    this.hardware.add(hardware)
    this.late ||= late
    this.lastMs = tMs ?? this.lastMs
    this.lastGiven = message
    if (this.lastMs < this.newestMs) return
    this.newestMs = this.lastMs
    this.newest = message
  }

  private get byTime(): boolean {
    return goesByTime(this.hardware, this.late)
  }
}

/**
 * Counts messages as the primary does: a matrix and a feedback table for each user, experiment and course. What should
 * count and cannot is skipped and counted by reason; no input makes it fail.
 * @template M what is to be known again of the last command: its bytes, for example
 */
export class Counts<M = unknown> {
  readonly skipped = new Map<Skip, number>()
  private readonly byKey = new Map<string, Student<M>>()

  /**
   * Counts one message, in order of arrival.
   * @param message parsed JSON, of any form
   * @param late it came out of its order, by an import
   * @returns whether it counted
   */
  add(message: unknown, kept: M, late = false): boolean {
    const read = readCounted(message)
    if (read === undefined) return false
    if (typeof read === 'string') {
      this.skipped.set(read, (this.skipped.get(read) ?? 0) + 1)
      return false
    }
    const student = this.student(read.key)
    if (read.kind === 'command') student.command(read, kept, late)
    else {
      student.feedback[read.state]![read.subject]!++
      student.feedbackCount++
    }
    return true
  }

  /** Of whom there is anything. */
  students(): Iterable<Student<M>> {
    return this.byKey.values()
  }

  get(key: Key): Student<M> | undefined {
    return this.byKey.get(keyText(key))
  }

  private student(key: Key): Student<M> {
    const text = keyText(key)
    let student = this.byKey.get(text)
    if (student === undefined) {
      student = new Student(key)
      this.byKey.set(text, student)
    }
    return student
  }
}

/** Different for different keys. */
export function keyText({ user, exp, course }: Omit<Key, 'exp'> & { readonly exp: string }): string {
  return JSON.stringify([user, exp, course])
}

export function zeros(rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, () => new Array<number>(columns).fill(0))
}
