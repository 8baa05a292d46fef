import { split } from '../relay/splitter.ts'
import { readEnvelope } from './formats/read-envelope.ts'
import { parseJson } from './json.ts'
import { type Line, lines } from './lines.ts'

/** What a line of a file has. */
export interface MessagesInLine {
  /** Its number, counted from 1. */
  readonly number: number
  /** Parsed; none where the line is no message. */
  readonly messages: readonly unknown[]
}

const MAX_LINE_BYTES = 64 << 20

/**
 * The messages of a file that has one a line (or several joined in one), as the primary's raw logs have and as we
 * export them, with envelope or without. Empty lines are passed over.
 */
export async function* messagesInFile(content: AsyncIterable<Uint8Array>): AsyncGenerator<MessagesInLine> {
  for await (const batch of lines(content, MAX_LINE_BYTES)) {
    for (const line of batch) if (line.bytes?.length !== 0) yield { number: line.number, messages: messagesOf(line) }
  }
}

function messagesOf({ bytes }: Line): unknown[] {
  if (bytes === undefined) return []
  const frame = readEnvelope(bytes.toString('utf8'))?.bytes ?? bytes
  const parts = [...split(frame)].filter(({ kind }) => kind === 'json')
  return parts.map(({ start, end }) => parseJson(frame.toString('utf8', start, end)))
}
