import { expect, test } from 'vitest'
import { expectSame, golden } from '../../../test/support/golden.ts'
import { realFiles } from '../../world/real/files.ts'
import { Counts } from '../count.ts'
import { loadModels } from '../models.ts'
import { reply } from './replies.ts'
import { readRequest } from './requests.ts'

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
