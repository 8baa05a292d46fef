import type { Frame } from '../../journal/entry.ts'
import { split } from '../../relay/splitter.ts'
import { envelopeLine } from './envelope.ts'
import type { Encoded } from './format.ts'

const newline = Buffer.from('\n')

/**
 * Exactly one message a line, as it came; a message of several lines is put on one. What is no JSON goes, as lines
 * with envelope, to the `.other` file.
 */
export function raw(frame: Frame): Encoded {
  const lines: Buffer[] = []
  let other = ''
  const parts = [...split(frame.payload)]
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'json') lines.push(onOneLine(frame.payload.subarray(part.start, part.end)), newline)
    else other += envelopeLine(frame, index, part)
  }
  const messages = lines.length / 2
  return { lines: Buffer.concat(lines), other: Buffer.from(other), messages, others: parts.length - messages }
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
