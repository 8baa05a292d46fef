import type { Fingerprints } from '../captures/fingerprints.ts'
import type { Logged } from '../captures/formats/primary-files.ts'

/** What a raw log holds, by value, in its order. */
export interface RawLog {
  readonly logged: Logged
  readonly values: bigint[]
}

/** Which raw log a message belongs to. */
export function rawLogKey({ user, hardware, exp, course }: Logged): string {
  return JSON.stringify([user, hardware, exp, course])
}

/** The order in which the Pi has what both have, of each raw log: a running hash of the values. */
export class PiOrders {
  private readonly hashes = new Map<string, bigint>()
  /** Some of these were imported, so that their place in the journal says nothing. */
  private readonly late = new Set<string>()

  /** The next message that both have. */
  add(key: string, value: bigint, late: boolean): void {
    this.hashes.set(key, after(this.hashes.get(key) ?? 0n, value))
    if (late) this.late.add(key)
  }

  /**
   * The raw logs in which what both have is in another order. Where the primary has a message more often than the Pi,
   * nobody knows which of them is which.
   * @param fingerprints of all raw logs, with what the Pi has taken
   */
  differing(logs: ReadonlyMap<string, RawLog>, fingerprints: Fingerprints): Logged[] {
    const found: Logged[] = []
    for (const [key, { logged, values }] of logs) {
      const both = values.filter((value) => fingerprints.wasTaken(value))
      if (this.late.has(key) || both.some((value) => fingerprints.isLeft(value))) continue
      if (both.reduce(after, 0n) !== (this.hashes.get(key) ?? 0n)) found.push(logged)
    }
    return found
  }
}

/** FNV's prime: what comes earlier is multiplied more often. */
function after(hash: bigint, value: bigint): bigint {
  return BigInt.asUintN(64, (hash ^ value) * 0x100000001b3n)
}
