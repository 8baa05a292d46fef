import { hash } from 'node:crypto'
import { readHeader, readParts, type StoredBlock } from './block.ts'
import type { Part } from './body.ts'
import type { Position } from './entry.ts'
import type { AwayStore, VerifyProblem, VerifyReport } from './reading.ts'
import { chainAfter } from './seal.ts'
import type { Series } from './series.ts'

/**
 * Reads everything and proves it: every block's checksum, the digest of every payload through the chain, the chain
 * across blocks and stores, positions and the numbers in each stream without holes. It changes nothing.
 * @param end the position up to which the journal should reach
 */
export async function verifySeries(
  series: Series,
  end: Position,
  options: { since?: Position; progress?: (doneBytes: number, totalBytes: number) => void }
): Promise<VerifyReport> {
  const verification = new Verification(options.since ?? series.firstPosition)
  const totalBytes = series.stores.length === 0 ? 0 : await series.sizeBytes()
  let doneBytes = 0
  const away: AwayStore[] = []
  for (const [index, store] of series.stores.entries()) {
    const { number, firstPosition, finished, damaged } = store
    verification.aside = damaged?.aside
    const to = Math.min(finished?.nextPosition ?? end, end)
    const next = series.stores[index + 1]?.firstPosition ?? end
    if (next <= verification.position) continue
    if (store.removed || series.isAway(store)) {
      if (!store.removed) away.push({ store: number, fromPosition: firstPosition, toPosition: to - 1 })
      verification.passOver(next)
      continue
    }
    if (to <= verification.position) continue
    if (!damaged || damaged.salvaged) {
      try {
        for await (const block of series.blocksOfStore(store, Math.max(firstPosition, verification.position))) {
          if (block.firstPosition >= to) break
          verification.block(block)
          doneBytes += block.value.length
          options.progress?.(Math.min(doneBytes, totalBytes), totalBytes)
        }
      } catch (error) {
        if (!series.find(number)) {
          verification.passOver(to)
          continue
        }
        verification.unreadable(number, error)
      }
    }
    verification.endOfStore(number, to)
    if (finished?.rest !== undefined) verification.passOver(next)
  }
  return { ...verification.report(series.stores.length), away }
}

/** What is known while walking over the blocks in order. */
class Verification {
  position: Position
  /** Where the store at hand lies, if it was damaged and set aside. */
  aside: string | undefined
  readonly #firstPosition: Position
  readonly #problems: VerifyProblem[] = []
  readonly #seqs = new Map<string, number>()
  /** Unknown at the start and behind damage. */
  #chain: Buffer | undefined
  /** The block before was damaged: where it ended is not known. */
  #lost = false
  #blocks = 0
  #frames = 0
  #events = 0
  #erased = 0
  #payloadBytes = 0

  constructor(position: Position) {
    this.position = position
    this.#firstPosition = position
  }

  block(block: StoredBlock): void {
    this.#blocks++
    try {
      const header = readHeader(block.value)
      const parts = readParts(block)
      this.#place(block, header.chainBefore)
      const proved = parts.reduce<Buffer>(chainAfter, header.chainBefore)
      if (!proved.equals(header.chainAfter)) {
        this.#problem('chain', block, 'its content is not what its hash says')
      }
      for (const part of parts) this.#part(part, block)
      this.#chain = Buffer.from(header.chainAfter)
      this.position = header.firstPosition + header.count
    } catch (error) {
      this.#problem('damaged', block, messageOf(error))
      this.#chain = undefined
      this.#lost = true
      this.#seqs.clear()
      this.position = block.firstPosition + 1
    }
  }

  endOfStore(store: number, end: Position): void {
    if (this.position < end && !this.#lost) this.#missing(store, end)
    this.#lost = false
    this.position = Math.max(this.position, end)
  }

  /** Nothing up to there is to be read: it was removed, its disk is away, or no entry ever had these positions. */
  passOver(end: Position): void {
    this.position = end
    this.#chain = undefined
    this.#seqs.clear()
    this.#lost = false
  }

  unreadable(store: number, error: unknown): void {
    this.#problems.push({ kind: 'damaged', store, fromPosition: this.position, detail: messageOf(error) })
  }

  report(stores: number): Omit<VerifyReport, 'away'> {
    return {
      stores,
      blocks: this.#blocks,
      frames: this.#frames,
      events: this.#events,
      erased: this.#erased,
      payloadBytes: this.#payloadBytes,
      firstPosition: this.#firstPosition,
      nextPosition: this.position,
      chain: this.#chain?.toString('hex') ?? '',
      problems: this.#problems
    }
  }

  /** Whether the block begins where the one before it ended. */
  #place(block: StoredBlock, chainBefore: Buffer): void {
    if (block.firstPosition > this.position && !this.#lost) {
      this.#missing(block.store, block.firstPosition)
    } else if (this.#chain && !this.#chain.equals(chainBefore)) {
      this.#problem('chain', block, 'it does not continue the one before')
    }
    this.#lost = false
  }

  /** Nothing is where entries up to `to` should be. */
  #missing(store: number, to: Position): void {
    const detail = this.aside
      ? `lost in the damaged store that lies in aside/${this.aside}`
      : 'these entries are not there'
    this.#problems.push({ kind: 'missing', store, fromPosition: this.position, toPosition: to - 1, detail })
    this.#chain = undefined
    this.#seqs.clear()
  }

  #part({ entries }: Part, block: StoredBlock): void {
    for (const entry of entries) {
      this.#payloadBytes += entry.payload.length
      if (entry.kind === 'event') {
        this.#events++
        continue
      }
      this.#frames++
      if (entry.erased) {
        this.#erased++
        if (hash('sha256', entry.payload) !== entry.erased.restDigest) {
          this.#problem('damaged', block, 'what is left of an erased frame is not what its digest says')
        }
      }
      const before = this.#seqs.get(entry.stream)
      if (before !== undefined && entry.seq !== before + 1) {
        this.#problems.push({
          kind: 'numbering',
          store: block.store,
          fromPosition: entry.position,
          toPosition: entry.position,
          stream: entry.stream,
          detail: `number ${entry.seq} follows ${before}`
        })
      }
      this.#seqs.set(entry.stream, entry.seq)
    }
  }

  #problem(kind: VerifyProblem['kind'], block: StoredBlock, detail: string): void {
    this.#problems.push({ kind, store: block.store, fromPosition: block.firstPosition, detail })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
