import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

/** A made-up student: what was said, and what the primary really answered to it, by the message's index. */
export interface Golden {
  readonly id: string
  readonly exp: string
  readonly course: string
  readonly messages: ReadonlyArray<{ readonly user: string }>
  readonly answers: Readonly<Record<string, ReadonlyArray<object>>>
}

export const golden = readFileSync(join(import.meta.dirname, '../golden/primary-answers.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Golden => JSON.parse(line))

const unordered = new Set(['nodes', 'edges', 'vertices'])

/** Numbers to 1e-12, the lists whose order carries no meaning as sets; everything else exactly. */
export function expectSame(ours: unknown, theirs: unknown, key: string): void {
  if (typeof ours === 'number' && typeof theirs === 'number') {
    expect(Math.abs(ours - theirs), key).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(theirs)))
  } else if (Array.isArray(ours) && Array.isArray(theirs)) {
    expect(ours.length, key).toBe(theirs.length)
    const [left, right] = unordered.has(key) ? [sorted(ours), sorted(theirs)] : [ours, theirs]
    for (const [index, one] of left.entries()) expectSame(one, right[index], `${key}[${index}]`)
  } else if (typeof ours === 'object' && typeof theirs === 'object' && ours !== null && theirs !== null) {
    expect(Object.keys(ours).sort(), key).toEqual(Object.keys(theirs).sort())
    for (const [name, one] of Object.entries(ours)) expectSame(one, theirs[name as keyof typeof theirs], name)
  } else expect(ours, key).toBe(theirs)
}

function sorted(list: unknown[]): unknown[] {
  const name = (one: unknown): string => {
    const { id, from, to, name } = one as Record<string, string>
    return `${id}|${from}|${to}|${name}`
  }
  return [...list].sort((a, b) => (name(a) < name(b) ? -1 : 1))
}
