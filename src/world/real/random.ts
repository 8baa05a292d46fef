import { randomBytes } from 'node:crypto'
import type { Random } from '../time.ts'

export const realRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => Math.random()
}
