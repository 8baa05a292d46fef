import { goesByTime, inOrderOfTime, type Matrix, type Timed, transitions } from '../analytics/count.ts'
import { type Experiment, isExperiment } from '../analytics/experiments.ts'
import type { DayRow } from './reconcile-days.ts'

/** A message that the Pi has and the primary should have had in a raw log. */
export interface PiMessage extends Timed {
  readonly row: DayRow
  /** Its place among the experiment's nodes; absent when it is no command. */
  readonly node: number | undefined
  /** Whether the primary has it still. */
  readonly matched: boolean
}

/** One student's messages on the Pi, held against what the primary has of that student. */
export class PiStudent {
  private readonly exp: string
  private readonly messages: PiMessage[] = []
  private readonly hardware = new Set<string>()
  private late = false

  constructor(exp: string) {
    this.exp = exp
  }

  add(message: PiMessage, hardware: string, late: boolean): void {
    this.messages.push(message)
    this.hardware.add(hardware)
    this.late ||= late
  }

  /**
   * Puts each message into its row. Where the primary has counted, it keeps the last message that it counted and those
   * after it. So what comes before is counted, and the matrix of it is returned, to be compared with the primary's.
   * @param primary the primary's matrix, if it has one that can be read
   * @param firstKeptMs the earliest time in the primary's raw logs of the student, if it has any
   */
  compare(primary: Matrix | undefined, firstKeptMs: number | undefined): Matrix | undefined {
    const ordered = goesByTime(this.hardware, this.late) ? inOrderOfTime(this.messages) : this.messages
    const { exp } = this
    const countedUntil = primary && isExperiment(exp) ? lastCounted(exp, ordered, primary, firstKeptMs) : -1
    for (const [index, { row, matched }] of ordered.entries()) {
      if (matched) row.both++
      else if (index <= countedUntil) row.counted++
      else row.onlyPi++
    }
    if (primary === undefined || !isExperiment(exp)) return undefined
    return transitions(exp, nodesIn(ordered.slice(0, countedUntil + 1)))
  }
}

/** The place of the last message that the primary has counted; -1 when it has counted none. */
function lastCounted(
  exp: Experiment,
  ordered: readonly PiMessage[],
  primary: Matrix,
  firstKeptMs: number | undefined
): number {
  const sum = primary.flat().reduce((total, one) => total + one, 0)
  if (sum === 0) return -1
  const firstKept = ordered.findIndex(({ matched }) => matched)
  if (firstKept >= 0) return firstKept
  const exact = placeOfCommand(ordered, sum)
  if (exact >= 0 && equal(transitions(exp, nodesIn(ordered.slice(0, exact + 1))), primary)) return exact
  if (firstKeptMs === undefined) return ordered.length - 1
  const later = ordered.findIndex(({ tMs }) => tMs !== undefined && tMs > firstKeptMs)
  return later < 0 ? ordered.length - 1 : later - 1
}

/** @param number counted from 0 */
function placeOfCommand(messages: readonly PiMessage[], number: number): number {
  let left = number
  return messages.findIndex(({ node }) => node !== undefined && left-- === 0)
}

function nodesIn(messages: readonly PiMessage[]): number[] {
  return messages.flatMap(({ node }) => node ?? [])
}

function equal(one: Matrix, other: Matrix): boolean {
  return one.every((row, from) => row.every((value, to) => value === other[from]?.[to]))
}
