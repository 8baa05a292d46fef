import type { Pseudonyms } from './pseudonyms.ts'
import { idOf, jsonInside, namesUser } from './user-ids.ts'

/** No page nests its messages deeper. */
const MAX_DEPTH = 100

/**
 * A message with names in the place of ids, wherever they stand: in fields, in texts, as names of fields, and in JSON
 * inside of a text.
 * @throws RangeError when it is nested too deeply
 */
export function withoutIds(message: unknown, pseudonyms: Pseudonyms): unknown {
  const rewrite = (value: unknown, inUser: boolean, depth: number): unknown => {
    if (depth > MAX_DEPTH) throw new RangeError('nested too deeply')
    if (typeof value === 'string') return text(value, depth)
    if (typeof value === 'number') return pseudonyms.number(value)
    if (typeof value !== 'object' || value === null) return value
    const one = (inner: unknown, named: boolean): unknown => {
      const id = named ? idOf(inner) : undefined
      return id === undefined ? rewrite(inner, named, depth + 1) : pseudonyms.name(id)
    }
    if (Array.isArray(value)) return value.map((inner) => one(inner, inUser))
    const fields = Object.entries(value).map(([field, inner]) => {
      return [pseudonyms.text(field), one(inner, namesUser(field, inUser))]
    })
    return Object.fromEntries(fields)
  }
  const text = (value: string, depth: number): string => {
    const inner = jsonInside(value)
    return inner === undefined ? pseudonyms.text(value) : JSON.stringify(rewrite(inner, false, depth + 1))
  }
  return rewrite(message, false, 0)
}

/** A message without what people wrote themselves: the `input` of feedback and the answers of surveys. */
export function withoutText(message: unknown): unknown {
  if (!isObject(message) || !isObject(message['payload'])) return message
  const { payload } = message
  if (message['type'] === 'feedback') return { ...message, payload: omit(payload, ['input']) }
  if (payload['log'] !== 'survey') return message
  const { question } = isObject(payload['data']) ? payload['data'] : {}
  return { ...message, payload: { log: 'survey', data: question === undefined ? {} : { question } } }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function omit(from: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([field]) => !fields.includes(field)))
}
