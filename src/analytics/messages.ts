import { parseJson } from '../captures/json.ts'
import type { Frame } from '../journal/entry.ts'
import { split } from '../relay/splitter.ts'
import type { Message } from './reader.ts'

/** The messages of a frame, one after the other; what is no JSON has its place and is left out. */
export function* messagesOf({ stream, origin, wallUs, source, position, payload }: Frame): Generator<Message> {
  let part = 0
  for (const { start, end, kind } of split(payload)) {
    const value = kind === 'json' ? parseJson(payload.toString('utf8', start, end)) : undefined
    if (value !== undefined) yield { value, stream, origin, wallUs, source, position, part }
    part++
  }
}
