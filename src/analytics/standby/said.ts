import { split } from '../../relay/splitter.ts'
import { type Reply, readReply } from '../wire/read-reply.ts'
import { type Request, readRequest } from '../wire/requests.ts'
import { anyOf } from './any-of.ts'

/** What the stand-in heeds of what is said on a stream. */
export type Said =
  | { readonly kind: 'request'; readonly request: Request; readonly part: number }
  /** `marked`: a Pi's, which begins with a space; the primary's never does. */
  | { readonly kind: 'reply'; readonly reply: Reply; readonly marked: boolean }

const SPACE = 0x20
/** No request and no reply is nearly as large. */
const MOST_BYTES = 256 * 1024
const mayHold = anyOf(['"request"', '"response"'])

/**
 * The requests and replies in a frame, in their order. A reply that holds NaN is no JSON, so it is none: the dashboard
 * drops it too.
 */
export function saidIn(frame: Buffer): Said[] {
  // Nearly everything on a stream is neither, and taking it apart costs.
  if (!mayHold(frame)) return []
  const said: Said[] = []
  let count = 0
  for (const { start, end, kind } of split(frame)) {
    const part = count++
    const bytes = frame.subarray(start, end)
    if (kind !== 'json' || bytes.length > MOST_BYTES || !mayHold(bytes)) continue
    const message: unknown = JSON.parse(bytes.toString())
    const request = readRequest(message)
    if (typeof request === 'object') said.push({ kind: 'request', request, part })
    const reply = readReply(message)
    if (reply) said.push({ kind: 'reply', reply, marked: bytes[0] === SPACE })
  }
  return said
}

/** Whether a reply is what a request asks for, as far as it tells. */
export function answers(reply: Reply, { user, exp, course }: Request): boolean {
  return reply.user === user && reply.exp === exp && (reply.course ?? course) === course
}
