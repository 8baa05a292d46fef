import type { JournalReader } from '../../journal/reading.ts'
import { split } from '../../relay/splitter.ts'
import { parseJson } from '../json.ts'

/** Fields whose value names a user, compared without their case, dashes and underscores. */
const userFields = new Set(['user', 'userid', 'username', 'actor', 'student', 'studentid', 'email', 'mbox'])
/** Fields that do so inside of an object that stands for a user. */
const idFields = new Set([...userFields, 'id', 'name', 'login', 'account'])
/** What pages send when they know no user. */
const nobody = new Set(['', 'null', 'undefined'])

/** Whether the value of a field names a user. */
export function namesUser(field: string, inUser: boolean): boolean {
  return (inUser ? idFields : userFields).has(field.toLowerCase().replace(/[-_]/g, ''))
}

/** The id that a user field's value is; `undefined` when it is none. */
export function idOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && !nobody.has(value) ? value : undefined
}

/** JSON that a text holds; `undefined` when it holds none. */
export function jsonInside(text: string): unknown {
  return /^\s*[[{]/.test(text) ? parseJson(text) : undefined
}

/** The ids of all users that a message names in fields made for it, in any depth. */
export function* userIds(message: unknown): Generator<string> {
  const left: Array<{ value: unknown; inUser: boolean }> = [{ value: message, inUser: false }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const inUser = next.inUser
    const value = typeof next.value === 'string' ? jsonInside(next.value) : next.value
    if (typeof value !== 'object' || value === null) continue
    for (const [field, inner] of Object.entries(value)) {
      const named = Array.isArray(value) ? inUser : namesUser(field, inUser)
      const id = named ? idOf(inner) : undefined
      if (id !== undefined) yield id
      left.push({ value: inner, inUser: named })
    }
  }
}

/** The ids of all users that the journal knows of. */
export async function collectUserIds(
  reader: Pick<JournalReader, 'range'>,
  before: number,
  progress: (position: number) => void
): Promise<Set<string>> {
  const ids = new Set<string>()
  for await (const frames of reader.range({ before })) {
    for (const { payload } of frames) {
      for (const { start, end, kind } of split(payload)) {
        if (kind === 'json') for (const id of userIds(parseJson(payload.toString('utf8', start, end)))) ids.add(id)
      }
    }
    progress(frames.at(-1)?.position ?? 0)
  }
  return ids
}
