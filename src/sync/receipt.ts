import { createHash } from 'node:crypto'

/** What the primary says that it has of one folder. */
export interface Receipt {
  /** The last request to hash anew that it has followed; empty: none yet. */
  readonly recheck: string
  /** SHA-256 in hex of each file, by name. */
  readonly sums: ReadonlyMap<string, string>
}

/** Reads what `primary-receipt` has written; what is no line of a receipt makes it equal to nothing. */
export function parseReceipt(text: string): Receipt {
  const [first = '', ...lines] = text.split('\n')
  const sums = new Map<string, string>()
  for (const line of lines.filter((line) => line !== '')) {
    const [, sum, name] = /^([0-9a-f]{64}) [ *]\.\/(.+)$/.exec(line) ?? []
    sums.set(name ?? line, sum ?? '')
  }
  return { recheck: /^# ([\w-]*)$/.exec(first)?.[1] ?? '', sums }
}

/** One hash of names and hashes together: two folders are the same when theirs is. */
export function proofOf(sums: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const name of [...sums.keys()].sort()) hash.update(`${sums.get(name)}  ${name}\n`)
  return hash.digest('hex')
}
