import type { Format, Parts } from '../../src/captures/formats/format.ts'
import { JsonLines } from '../../src/captures/formats/json-lines.ts'
import type { Frame } from '../../src/journal/entry.ts'

/** What frames become in a format of lines. */
export function encoded(format: Format, frames: readonly Frame[]): Parts & { lines: string; other: string } {
  const lines = new JsonLines()
  const other = new JsonLines()
  const counts = { messages: 0, others: 0 }
  for (const frame of frames) {
    const { messages, others } = format(frame, lines, other)
    counts.messages += messages
    counts.others += others
  }
  return { ...counts, lines: lines.view().toString(), other: other.view().toString() }
}
