import { scryptSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { simulatedDerive } from '../../sim/world/derive.ts'
import { realDerive } from './derive.ts'

const salt = Buffer.alloc(16, 's')

test.each([
  ['real', realDerive],
  ['simulated', simulatedDerive]
] as const)('the %s one gives the same for the same password and salt only', async (_, derive) => {
  const key = await derive('password', salt)
  expect(key).toHaveLength(32)
  expect(await derive('password', salt)).toEqual(key)
  expect(await derive('password ', salt)).not.toEqual(key)
  expect(await derive('password', Buffer.alloc(16, 't'))).not.toEqual(key)
})

test('the real one is scrypt', async () => {
  expect(await realDerive('password', salt)).toEqual(scryptSync('password', salt, 32))
})
