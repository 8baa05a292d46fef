import { scrypt } from 'node:crypto'
import type { Derive } from '../derive.ts'

const KEY_BYTES = 32
const COST = { N: 16_384, r: 8, p: 1 }

export const realDerive: Derive = (password, salt) =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, KEY_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)))
  })
