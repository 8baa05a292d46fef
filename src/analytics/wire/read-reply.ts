import { type Content, contents } from './requests.ts'

/** A reply that somebody has sent: what it answers, and whom. */
export interface Reply {
  readonly content: Content
  readonly user: string
  readonly exp: string
  /** A comparison graph's has none. */
  readonly course: string | undefined
}

/** What a parsed message is as a reply; `undefined` when it is none. Takes any value. */
export function readReply(message: unknown): Reply | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const { type, content, user, exp, course } = message as Record<string, unknown>
  const known = contents.find((one) => one === content)
  if (type !== 'response' || known === undefined) return undefined
  if (typeof user !== 'string' || typeof exp !== 'string') return undefined
  return { content: known, user, exp, course: typeof course === 'string' ? course : undefined }
}

/**
 * A text as JSON, also when it holds what Python writes and JSON does not have: NaN and the infinities, which are read
 * as `null`. The dashboard drops such a message.
 * @returns `undefined` when it is neither
 */
export function parsePythonJson(text: string): { readonly value: unknown; readonly hasNaN: boolean } | undefined {
  try {
    return { value: JSON.parse(text), hasNaN: false }
  } catch {}
  try {
    // strings are matched too, so that nothing is replaced in them
    const json = text.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (part) => (part[0] === '"' ? part : 'null'))
    return { value: JSON.parse(json), hasNaN: true }
  } catch {
    return undefined
  }
}
