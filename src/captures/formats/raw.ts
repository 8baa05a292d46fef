import { split } from '../../relay/splitter.ts'
import { envelopeLine } from './envelope.ts'
import type { Format } from './format.ts'

/**
 * Exactly one message a line, as it came; a message of several lines is put on one. What is no JSON goes, as lines
 * with envelope, to the `.other` file.
 */
export const raw: Format = (frame, lines, other) => {
  const { payload } = frame
  let messages = 0
  let others = 0
  for (const part of split(payload)) {
    if (part.kind === 'json') {
      lines.json(onOneLine(payload.subarray(part.start, part.end)))
      lines.endLine()
      messages++
    } else {
      envelopeLine(frame, messages + others, part, other)
      others++
    }
  }
  return { messages, others }
}

const LF = 0x0a
const CR = 0x0d

/**
 * A JSON message without its line breaks. They can only stand between tokens, since in a string they are written
 * `\n`; a message without any is given back as it is.
 */
export function onOneLine(message: Buffer): Buffer {
  if (!message.includes(LF) && !message.includes(CR)) return message
  return message.filter((byte) => byte !== LF && byte !== CR) as Buffer
}
