import { hash } from 'node:crypto'
import { readHeader, readParts, type StoredBlock } from './block.ts'
import type { Part } from './body.ts'
import { type CatalogueStore, type StoreFinish, usedEnd } from './catalogue.ts'
import { CHAIN_START } from './chain.ts'
import type { Position } from './entry.ts'
import type { HeadState } from './head.ts'
import type { AwayStore, VerifyProblem, VerifyReport } from './reading.ts'
import { chainAfter } from './seal.ts'
import type { Series } from './series.ts'
import type { Identity } from './store.ts'

/**
 * Reads everything and proves it: every block's checksum, the digest of every payload through the chain, the chain
 * across blocks and stores, positions and the numbers in each stream without holes, what each store says of itself, and
 * the head. It changes nothing.
 * @param end the position up to which the journal should reach
 * @param head what the head says; `undefined` where it cannot be read
 */
export async function verifySeries(
  series: Series,
  end: Position,
  head: HeadState | undefined,
  options: { since?: Position; progress?: (doneBytes: number, totalBytes: number) => void }
): Promise<VerifyReport> {
  const verification = new Verification(options.since ?? series.firstPosition, head)
  if (options.since === undefined) verification.begin(series)
  const totalBytes = series.stores.length === 0 ? 0 : await series.sizeBytes()
  let doneBytes = 0
  const { stores } = series
  const away: AwayStore[] = []
  for (const [index, store] of stores.entries()) {
    const { number, firstPosition, finished, damaged } = store
    const to = Math.min(finished?.nextPosition ?? end, end)
    const next = series.stores[index + 1]?.firstPosition ?? end
    if (next <= verification.position) continue
    const isPassedOver = (): boolean => {
      const isAway = series.isAway(store)
      if (isAway) away.push({ store: number, fromPosition: firstPosition, toPosition: to - 1 })
      else if (series.find(number)?.removed !== true && series.find(number)) return false
      verification.passOver(next, finished)
      return true
    }
    if (isPassedOver()) continue
    const isRestUnused = finished?.rest !== undefined
    if (to <= verification.position) {
      if (isRestUnused) verification.passOver(next)
      continue
    }
    verification.store(store, stores[index - 1])
    if (!damaged || damaged.salvaged) {
      try {
        verification.identity(await series.identity(number))
        for await (const block of series.blocksOfStore(store, Math.max(firstPosition, verification.position))) {
          if (block.firstPosition >= to) break
          verification.block(block)
          doneBytes += block.value.length
          options.progress?.(Math.min(doneBytes, totalBytes), totalBytes)
        }
      } catch (error) {
        if (isPassedOver()) continue
        verification.unreadable(error)
      }
    }
    verification.endOfStore(to)
    if (isRestUnused) verification.passOver(next)
  }
  return { ...verification.report(stores.length), away }
}

/** Positions that hold nothing, until it is known whether they ever held anything. */
interface Blank {
  readonly store: CatalogueStore
  readonly from: Position
  readonly to: Position
}

/** What is known while walking over the blocks in order. */
class Verification {
  position: Position
  /** Until it was compared. */
  #head: HeadState | undefined
  readonly #firstPosition: Position
  readonly #problems: VerifyProblem[] = []
  readonly #seqs = new Map<string, number>()
  /** The store at hand, and the one that stands before it in the catalogue. */
  #store: CatalogueStore | undefined
  #before: CatalogueStore | undefined
  /** Unknown at the start and behind damage. */
  #chain: Buffer | undefined
  /** At the position up to which a store that was set aside is known to have been used: there the next one goes on. */
  #chainOfNext: Buffer | undefined
  /** Nobody ever used it if the chain goes on behind it as it was before it. */
  #blank: Blank | undefined
  /** The block before was damaged: where it ended is not known. */
  #lost = false
  #blocks = 0
  #frames = 0
  #events = 0
  #erased = 0
  #payloadBytes = 0

  constructor(position: Position, head: HeadState | undefined) {
    this.position = position
    this.#firstPosition = position
    this.#head = head
  }

  /** The first store goes on where what was removed has ended, if that is known. */
  begin({ firstPosition, removed, stores }: Series): void {
    if (removed?.nextPosition === firstPosition) this.#chain = Buffer.from(removed.chain, 'hex')
    else if (firstPosition === 1) this.#chain = CHAIN_START
    if (!this.#head && stores.length > 0) this.#problem('head', 'it is missing, damaged, or of a newer release')
  }

  store(store: CatalogueStore, before: CatalogueStore | undefined): void {
    this.#before = before
    this.#store = store
    const { firstPosition } = store
    if (firstPosition > this.position && !this.#blank && before) {
      this.#blank = { store, from: this.position, to: firstPosition }
    }
    this.position = Math.max(this.position, firstPosition)
  }

  /** What the store at hand says of itself. */
  identity({ number, firstPosition, after, chain }: Identity): void {
    const store = this.#store!
    if (number !== store.number || firstPosition !== store.firstPosition) {
      this.#problem('damaged', `it says that it is store ${number}, from position ${firstPosition} on`)
      return
    }
    // One that was salvaged does not say what it follows.
    if (chain === '') return
    if (this.#before && after !== null && after !== this.#before.number) {
      this.#problem('chain', `it says that it follows store ${after}`)
    }
    const follows = this.#chain && !this.#blank && this.position === firstPosition
    if (follows && chain !== this.#chain?.toString('hex')) {
      this.#problem('chain', 'it says that it continues another hash than the one before it ends with')
    }
  }

  block(block: StoredBlock): void {
    this.#blocks++
    try {
      const header = readHeader(block.value)
      const parts = readParts({ ...block, header })
      this.#place(block.firstPosition, header.chainBefore)
      let chain: Buffer = header.chainBefore
      this.#reach(block.firstPosition, chain)
      for (const part of parts) {
        chain = chainAfter(chain, part)
        this.#part(part)
        this.#reach(this.position + part.entries.length, chain)
      }
      if (!chain.equals(header.chainAfter)) {
        this.#problem('chain', 'its content is not what its hash says', block.firstPosition)
      }
      this.#chain = Buffer.from(header.chainAfter)
    } catch (error) {
      this.#problem('damaged', messageOf(error), block.firstPosition)
      this.#chain = undefined
      this.#lost = true
      this.#seqs.clear()
      this.position = block.firstPosition + 1
    }
  }

  endOfStore(end: Position): void {
    const store = this.#store!
    const { finished } = store
    if (this.#chainOfNext) this.#chain = this.#chainOfNext
    else if (finished?.usedTo && this.position > finished.usedTo) this.#chain = undefined
    this.#chainOfNext = undefined
    const used = finished ? Math.min(usedEnd(finished), end) : end
    if (this.position < used && !this.#lost) {
      this.#settle()
      this.#blank = { store, from: this.position, to: used }
    }
    if (used < end) this.#seqs.clear()
    this.#lost = false
    this.position = Math.max(this.position, end)
  }

  /**
   * Nothing up to there is to be read: it was removed, its disk is away, or no entry ever had these positions.
   * @param finished where it ended, by the catalogue
   */
  passOver(end: Position, finished?: StoreFinish): void {
    this.#settle()
    this.position = end
    this.#chain = finished?.nextPosition === end ? Buffer.from(finished.chain, 'hex') : undefined
    this.#seqs.clear()
    this.#lost = false
  }

  unreadable(error: unknown): void {
    this.#problem('damaged', messageOf(error), this.position)
  }

  report(stores: number): Omit<VerifyReport, 'away'> {
    this.#settle()
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
  #place(firstPosition: Position, chainBefore: Buffer): void {
    this.#settle(chainBefore)
    if (firstPosition > this.position && !this.#lost) {
      this.#blank = { store: this.#store!, from: this.position, to: firstPosition }
      this.#settle()
    } else if (this.#chain && !this.#chain.equals(chainBefore)) {
      this.#problem('chain', 'it does not continue the one before', firstPosition)
    }
    this.#lost = false
    this.position = firstPosition
  }

  /** @param chain where what follows the blank goes on, if anything does */
  #settle(chain?: Buffer): void {
    if (!this.#blank) return
    const { store, from, to } = this.#blank
    this.#blank = undefined
    this.#seqs.clear()
    if (chain && this.#chain?.equals(chain)) return
    this.#chain = undefined
    const lost = store.damaged
      ? `lost in the damaged store that lies in aside/${store.damaged.aside}`
      : 'these entries are not there'
    const detail = store.finished?.usedTo === null ? 'may be missing: nothing tells how far the store was used' : lost
    this.#problems.push({ kind: 'missing', store: store.number, fromPosition: from, toPosition: to - 1, detail })
  }

  /** All before this position is read. */
  #reach(position: Position, chain: Buffer): void {
    const head = this.#head
    if (head?.nextPosition === position) this.#compare(head, chain)
    else if (head && this.position < head.nextPosition && head.nextPosition < position) {
      this.#problem('head', 'it ends within a commit', head.nextPosition)
    }
    if (this.#store?.finished?.usedTo === position) this.#chainOfNext = Buffer.from(chain)
    this.position = position
  }

  #compare(head: HeadState, chain: Buffer): void {
    this.#head = undefined
    if (head.chain !== chain.toString('hex')) this.#problem('head', 'the hash there is another', head.nextPosition)
    for (const [stream, { seq }] of Object.entries(head.streams)) {
      const found = this.#seqs.get(stream)
      if (found === undefined || found === seq) continue
      const detail = `number ${found} is the last there, it says ${seq}`
      this.#problem('head', detail, head.nextPosition, stream)
    }
  }

  #part({ entries }: Part): void {
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
          this.#problem('damaged', 'what is left of an erased frame is not what its digest says', entry.position)
        }
      }
      const before = this.#seqs.get(entry.stream)
      if (before !== undefined && entry.seq !== before + 1) {
        this.#problem('numbering', `number ${entry.seq} follows ${before}`, entry.position, entry.stream)
      }
      this.#seqs.set(entry.stream, entry.seq)
    }
  }

  #problem(kind: VerifyProblem['kind'], detail: string, fromPosition?: Position, stream?: string): void {
    this.#problems.push({
      kind,
      store: this.#store?.number ?? 0,
      ...(fromPosition !== undefined && { fromPosition }),
      ...(stream !== undefined && { stream }),
      detail
    })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
