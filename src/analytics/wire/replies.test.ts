import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { realFiles } from '../../world/real/files.ts'
import { Counts } from '../count.ts'
import { loadModels } from '../models.ts'
import { reply } from './replies.ts'
import { readRequest } from './requests.ts'

interface Golden {
  exp: string
  course: string
  messages: unknown[]
  answers: Record<string, object[]>
}

const golden = readFileSync(join(import.meta.dirname, '../../../test/golden/primary-answers.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): Golden => JSON.parse(line))

const models = await loadModels(realFiles)

test('every answer that the primary really gave, message by message', () => {
  let checked = 0
  for (const { messages, answers } of golden) {
    const counts = new Counts()
    for (const [index, message] of messages.entries()) {
      counts.add(message, index)
      const theirs = answers[index] ?? []
      const request = readRequest(message)
      if (typeof request !== 'object') {
        expect(theirs).toEqual([])
        continue
      }
      const student = counts.get(request as Parameters<typeof counts.get>[0])
      const state = student && { matrix: student.matrix(), feedback: student.feedback }
      const ours = request.contents.map((wanted) => reply(request, wanted, state, models))
      // as it goes over the wire, and in the primary's order of keys
      expect(ours.map((one) => Object.keys(one!))).toEqual(theirs.map((one) => Object.keys(one)))
      expectSame(JSON.parse(JSON.stringify(ours)), theirs, 'answers')
      checked += theirs.length
    }
  }
  expect(checked).toBe(217)
})

const unordered = new Set(['nodes', 'edges', 'vertices'])

/** Numbers to 1e-12, the lists whose order carries no meaning as sets; everything else exactly. */
function expectSame(ours: unknown, theirs: unknown, key: string): void {
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
