import { hash } from 'node:crypto'

/** Fingerprints of 64 bits, counted by occurrence: each can be taken once. 12 bytes each. */
export class Fingerprints {
  private readonly sorted: BigUint64Array
  /** At the first of equal ones: how many of them have been taken. */
  private readonly taken: Uint32Array

  constructor(found: readonly bigint[]) {
    this.sorted = BigUint64Array.from(found).sort()
    this.taken = new Uint32Array(found.length)
  }

  /** Whether there is one that had not been taken. */
  take(fingerprint: bigint): boolean {
    const first = this.firstOf(fingerprint)
    const before = this.taken[first] ?? 0
    if (this.sorted[first + before] !== fingerprint) return false
    this.taken[first] = before + 1
    return true
  }

  /** Whether one has been taken. */
  wasTaken(fingerprint: bigint): boolean {
    const first = this.firstOf(fingerprint)
    return this.sorted[first] === fingerprint && (this.taken[first] ?? 0) > 0
  }

  /** Whether there is one that has not been taken. */
  isLeft(fingerprint: bigint): boolean {
    const first = this.firstOf(fingerprint)
    return this.sorted[first + (this.taken[first] ?? 0)] === fingerprint
  }

  /** The first place whose value is not below. */
  private firstOf(fingerprint: bigint): number {
    let low = 0
    let high = this.sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.sorted[middle] ?? 0n) < fingerprint) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** What bytes are known by. */
export function fingerprintOf(data: Buffer | string): bigint {
  return hash('sha256', data, 'buffer').readBigUInt64LE(0)
}

/**
 * What parsed JSON is known by, however it was written: the order of fields and the form of numbers and texts do not
 * count. `undefined` when it is nested too deeply to be written.
 */
export function valueFingerprint(value: unknown): bigint | undefined {
  try {
    return fingerprintOf(JSON.stringify(value, (_, inner: unknown) => inOneOrder(inner)))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function inOneOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
