import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isCron } from './cron.ts'

test('a schedule has five fields and comes up', () => {
  expect(['0 0 * * *', '*/5 9-17 * * MON-FRI', '0 0 29 2 *'].map(isCron)).toEqual([true, true, true])
  expect(['', '@daily', '0 0 0 * * *', '61 0 * * *', '0 0 31 2 *', 'x x x x x'].filter(isCron)).toEqual([])
  fc.assert(fc.property(fc.string(), (text) => typeof isCron(text) === 'boolean'))
})
