import { createHash, type Hash } from 'node:crypto'

/** What proves a file: its own bytes, and where it is compressed as a whole, what comes out of it. */
export interface Digests {
  readonly bytes: number
  /** In hex. */
  readonly sha256: string
  readonly uncompressed?: { readonly bytes: number; readonly sha256: string } | undefined
}

/** A new file that is whole, and what proves it. */
export interface WrittenFile extends Digests {
  readonly name: string
}

export function areSameDigests(one: Digests, other: Digests): boolean {
  return (
    one.sha256 === other.sha256 &&
    one.bytes === other.bytes &&
    one.uncompressed?.sha256 === other.uncompressed?.sha256 &&
    one.uncompressed?.bytes === other.uncompressed?.bytes
  )
}

/** Digests bytes as they come. */
export class Digester {
  readonly #hash: Hash = createHash('sha256')
  #bytes = 0

  update(data: Buffer): void {
    this.#hash.update(data)
    this.#bytes += data.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** To be asked for once, at the end. */
  digests(): { readonly bytes: number; readonly sha256: string } {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }
}
