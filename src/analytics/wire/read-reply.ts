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
