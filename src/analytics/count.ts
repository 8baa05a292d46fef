import { type Key, readCounted, type Skip } from './count-message.ts'
import { nodesOf, states, subjectsOf } from './experiments.ts'

/** Rows are from, columns are to; or states and subjects. */
export type Matrix = readonly (readonly number[])[]

/** What one student has done in one experiment of one course. */
export class Student<M> {
  readonly key: Key
  readonly feedback: number[][]
  feedbackCount = 0
  private readonly nodes: number[] = []
  private readonly times: number[] = []
  private readonly hardware = new Set<string>()
  private newest: M | undefined
  private lastCame: M | undefined
  private latestMs = Number.NEGATIVE_INFINITY

  constructor(key: Key) {
    this.key = key
    this.feedback = zeros(states.length, subjectsOf(key.exp, key.course).length)
  }

  /** How many commands were given. */
  get commands(): number {
    return this.nodes.length
  }

  /**
   * How often each command followed each other: in order of `t` when they came from more than one piece of hardware,
   * else in order of arrival.
   */
  matrix(): Matrix {
    const size = nodesOf[this.key.exp].length
    const matrix = zeros(size, size)
    const ordered = this.ordered()
    for (let index = 1; index < ordered.length; index++) matrix[ordered[index - 1]!]![ordered[index]!]!++
    return matrix
  }

  /** The command that the next one will follow: what was given along with it. */
  get last(): M | undefined {
    return this.hardware.size > 1 ? this.newest : this.lastCame
  }

  command(node: number, hardware: string, tMs: number | undefined, message: M): void {
    // one without a time stays where it came
    const time = tMs ?? this.times.at(-1) ?? Number.NEGATIVE_INFINITY
    this.nodes.push(node)
    this.times.push(time)
    this.hardware.add(hardware)
    this.lastCame = message
    if (time >= this.latestMs) {
      this.latestMs = time
      this.newest = message
    }
  }

  private ordered(): readonly number[] {
    if (this.hardware.size < 2) return this.nodes
    const order = this.nodes.map((_, index) => index).sort((a, b) => this.times[a]! - this.times[b]! || a - b)
    return order.map((index) => this.nodes[index]!)
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
   * @returns whether it counted
   */
  add(message: unknown, kept: M): boolean {
    const read = readCounted(message)
    if (read === undefined) return false
    if (typeof read === 'string') {
      this.skipped.set(read, (this.skipped.get(read) ?? 0) + 1)
      return false
    }
    const student = this.student(read.key)
    if (read.kind === 'command') student.command(read.node, read.hardware, read.tMs, kept)
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
function keyText({ user, exp, course }: Key): string {
  return JSON.stringify([user, exp, course])
}

function zeros(rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, () => new Array<number>(columns).fill(0))
}
