import { createHash, hash } from 'node:crypto'
import { ByteWriter } from './bytes.ts'
import type { Entry, Origin, TimeSource } from './entry.ts'

/*
 * The chain is a running hash over all entries. It advances by one step for each part of a block (what one commit put
 * there), so that blocks can be merged and compressed anew without breaking it:
 *
 *   digest(entry) = SHA-256(salt of the entry, payload)
 *   chain(after)  = SHA-256(chain(before), for each entry of the part: its description, digest(entry))
 *
 * The description is the entry without its payload. So a payload can be replaced by its digest (an
 * erasure) while the rest stays proved. The salts keep a digest from being guessed backwards, and are not stored one by
 * one: a part has 16 random bytes, and SHAKE256 of them gives 16 bytes for each of its entries.
 */

export const SALT_BYTES = 16
export const HASH_BYTES = 32

/** The chain before the first entry of all. */
export const CHAIN_START: Buffer = Buffer.alloc(HASH_BYTES)

export const origins: readonly Origin[] = ['relay', 'own', 'import']
export const sources: readonly TimeSource[] = ['none', 'ntp', 'relay', 'trusted']

/** The salts of a part's entries, `SALT_BYTES` each, in order. */
export function deriveSalts(partSalt: Uint8Array, count: number): Buffer {
  return hash('shake256', partSalt, { outputLength: SALT_BYTES * count, outputEncoding: 'buffer' })
}

/** Of streams and boots that are remembered. */
const MOST_NAMES = 1000

const scratch = new ByteWriter(64 * 1024)

/** The salted digest of a payload, as a string of bytes (latin1): making a Buffer of it would cost more than the hash. */
export function digestPayload(salt: Uint8Array, payload: Uint8Array): string {
  if (payload.length > 1_000_000) return createHash('sha256').update(salt).update(payload).digest('binary')
  scratch.clear()
  scratch.bytes(salt)
  scratch.bytes(payload)
  return hash('sha256', scratch.view(), 'binary')
}

/** Names as `ByteWriter.text` writes them: there are few, and they come again and again. */
class Names {
  readonly #known = new Map<string, Buffer>()

  bytesOf(name: string): Buffer {
    const known = this.#known.get(name)
    if (known) return known
    const writer = new ByteWriter(64)
    writer.text(name)
    const bytes = Buffer.from(writer.view())
    if (this.#known.size >= MOST_NAMES) this.#known.clear()
    this.#known.set(name, bytes)
    return bytes
  }
}

/** Takes the entries of one part and gives the chain after them. */
export class ChainStep {
  readonly #writer = new ByteWriter(32 * 1024)
  readonly #names = new Names()

  begin(before: Uint8Array): void {
    this.#writer.clear()
    this.#writer.bytes(before)
  }

  /** @param digest of its payload as it was before any erasure, 32 bytes as a string (latin1) */
  add(entry: Entry, digest: string): void {
    const writer = this.#writer
    const frame = entry.kind === 'frame'
    writer.u8(frame ? (entry.binary ? 2 : 1) : 0)
    writer.u8(frame ? origins.indexOf(entry.origin) : 0)
    writer.u8(sources.indexOf(entry.source))
    writer.bytes(this.#names.bytesOf(frame ? entry.stream : ''))
    writer.bytes(this.#names.bytesOf(entry.boot))
    writer.u64(entry.position)
    writer.u64(frame ? entry.seq : 0)
    writer.signed(entry.wallUs)
    writer.signed(entry.monoUs)
    writer.varint(frame && entry.erased ? entry.erased.payloadBytes : entry.payload.length)
    writer.latin1(digest)
  }

  end(): Buffer {
    return hash('sha256', this.#writer.view(), 'buffer')
  }
}
