import { parseJson } from '../captures/json.ts'
import type { Frame } from '../journal/entry.ts'
import { split } from '../relay/splitter.ts'
import type { Message } from './reader.ts'

/** The messages of a frame, in order; what is no JSON has its place and is left out. */
export function messagesOf({ stream, origin, wallUs, source, position, payload }: Frame): Message[] {
  // Nearly every frame is one message.
  const whole = parseJson(payload.toString('utf8'))
  if (whole !== undefined) return [{ value: whole, stream, origin, wallUs, source, position, part: 0 }]
  return [...split(payload)].flatMap(({ start, end, kind }, part) => {
    const value = kind === 'json' ? parseJson(payload.toString('utf8', start, end)) : undefined
    return value === undefined ? [] : [{ value, stream, origin, wallUs, source, position, part }]
  })
}
