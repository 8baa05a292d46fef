import { timeOf } from '../captures/message-time.ts'
import type { Zone } from '../captures/zone.ts'
import { isStreamName } from '../config/stream-name.ts'

/** What was compared of one stream on one day, in messages. */
export interface DayRow {
  /** `?` where a message names none that can be. */
  readonly stream: string
  /** On the calendar of a zone, by the messages' own time; `-` where they have none. */
  readonly day: string
  both: number
  onlyPrimary: number
  onlyPi: number
  /** The Pi has them; the primary has counted and deleted them, so they are compared by the matrices. */
  counted: number
  /** Lines that are no message, and messages that the primary does not keep. */
  notComparable: number
}

/** The rows of a comparison, made as they are needed. */
export class DayRows {
  private readonly zone: Zone
  private readonly rows = new Map<string, DayRow>()

  constructor(zone: Zone) {
    this.zone = zone
  }

  /** Of a message, by what it says itself. */
  of(hardware: string, message: unknown): DayRow {
    return this.row(isStreamName(hardware) ? hardware : '?', this.dayOf(message))
  }

  row(stream: string, day: string): DayRow {
    const name = `${stream} ${day}`
    let row = this.rows.get(name)
    if (row === undefined) {
      row = { stream, day, both: 0, onlyPrimary: 0, onlyPi: 0, counted: 0, notComparable: 0 }
      this.rows.set(name, row)
    }
    return row
  }

  sorted(): DayRow[] {
    return [...this.rows.keys()].sort().map((name) => this.rows.get(name)!)
  }

  private dayOf(message: unknown): string {
    const us = timeOf(message)
    return us === undefined ? '-' : this.zone.date(us)
  }
}
