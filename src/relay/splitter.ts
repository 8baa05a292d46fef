/**
 * Splits a frame into messages. The relay joins queued messages into one frame with nothing between them, and anybody
 * on the stream can send any bytes, so a frame is JSON values and garbage in any order.
 *
 * The rules:
 * - Every byte is in exactly one part; the parts joined give the frame back.
 * - A part is `json` when it holds one complete object or array that JSON.parse accepts. White space before a value
 *   belongs to its part, and white space at the end of the frame to the last part.
 * - All between two values is one `other` part; a frame of white space only is one too.
 * - Bare scalars are `other`, since `12` and `34` joined cannot be told from `1234`; only a frame that is a scalar as a
 *   whole is `json`.
 * - A value is looked for where the last one ended; after garbage, at every `{`. So a complete message is found again
 *   after a broken one (and so is a complete object inside the broken one).
 *
 * The cost is linear. A scan that fails has learnt the fate of every container it met outside strings: those that were
 * complete are values themselves, those still open fail where it failed. None of them is scanned again, so a new scan
 * over the same bytes starts inside a string of the failed one and sees strings where that one sees none. A third
 * would have to agree with one of the two, and a backslash, the only thing that could bring two of them into step, is
 * an error outside a string. So no byte is scanned more than twice, besides the one scan that is repeated to note the
 * fates (nothing is noted before something has failed).
 */

import { BRACE, BRACKET, isSpace, Scanner } from './scanner.ts'

export interface Part {
  /** The first byte of the part in the frame. */
  readonly start: number
  /** The byte after its last. */
  readonly end: number
  readonly kind: 'json' | 'other'
}

/** The parts of a frame, one after the other, found as they are asked for. */
export function* split(frame: Buffer, scanner = new Scanner(frame)): Generator<Part, void, undefined> {
  if (isScalar(frame)) {
    yield { start: 0, end: frame.length, kind: 'json' }
    return
  }
  let ends: Int32Array | undefined
  const endOf = (start: number): number => {
    const known = ends?.[start]
    if (known) return Math.max(known, 0)
    const end = scanner.end(start, ends)
    if (end || ends) return end
    ends = new Int32Array(frame.length)
    return scanner.end(start, ends)
  }
  /** Where what has not been given out begins, and where the next value is looked for. */
  let start = 0
  let at = skipSpace(frame, 0)
  if (frame[at] !== BRACE && frame[at] !== BRACKET) at = frame.indexOf(BRACE, at)
  while (at >= 0 && at < frame.length) {
    const end = endOf(at)
    if (!end) {
      at = frame.indexOf(BRACE, at + 1)
      continue
    }
    let space = at
    while (space > start && isSpace(frame[space - 1])) space--
    if (space > start) yield { start, end: space, kind: 'other' }
    const next = skipSpace(frame, end)
    start = next === frame.length ? next : end
    yield { start: space, end: start, kind: 'json' }
    at = frame[next] === BRACE || frame[next] === BRACKET ? next : frame.indexOf(BRACE, next)
  }
  if (start < frame.length) yield { start, end: frame.length, kind: 'other' }
}

function skipSpace(frame: Buffer, from: number): number {
  let at = from
  while (isSpace(frame[at])) at++
  return at
}

/** Whether the whole frame is one JSON scalar. */
function isScalar(frame: Buffer): boolean {
  const first = frame[skipSpace(frame, 0)]
  if (first === undefined || !SCALAR_STARTS.has(first)) return false
  try {
    JSON.parse(frame.toString())
    return true
  } catch {
    return false
  }
}

const SCALAR_STARTS = new Set(Buffer.from('"-0123456789tfn'))
