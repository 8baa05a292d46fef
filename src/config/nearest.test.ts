import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

const names = ['credentials', 'only', 'sockets', 'read_interval']

test.each([
  ['onyl', 'only'],
  ['Credential', 'credentials'],
  ['socket', 'sockets'],
  ['readInterval', 'read_interval'],
  ['zz', undefined],
  ['x'.repeat(1e6), undefined]
])('%.20s may be meant as %s', (word, name) => {
  expect(nearest(word, names)).toBe(name)
})
