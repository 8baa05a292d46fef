import type { Log } from '../log.ts'
import type { Ms } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Entry } from './entry.ts'
import type { KeptHead } from './kept-head.ts'
import type { Pending } from './pending.ts'
import { sealBlocks } from './seal.ts'
import type { Series } from './series.ts'
import type { BlockStore } from './store.ts'

/** Payload bytes of one block at most, unless a frame alone is larger. */
export const BLOCK_BYTES = 256 * 1024

/** The store that is written: another is begun where there is none, where it is full, and where it has failed. */
export class NewestStore {
  readonly #world: World
  readonly #series: Series
  readonly #log: Log
  readonly #limits: { readonly storeBytes: number; readonly storeAgeMs: Ms }
  readonly #head: KeptHead
  readonly #pending: Pending
  #bytes: number

  /** @param newest the one there is: its series and its size */
  constructor(
    world: World,
    newest: { readonly series: Series; readonly storeBytes: number },
    log: Log,
    limits: { readonly storeBytes: number; readonly storeAgeMs: Ms },
    parts: { readonly head: KeptHead; readonly pending: Pending }
  ) {
    this.#world = world
    this.#series = newest.series
    this.#log = log
    this.#limits = limits
    this.#head = parts.head
    this.#pending = parts.pending
    this.#bytes = newest.storeBytes
  }

  get isFull(): boolean {
    const begunUs = this.#series.stores.at(-1)?.begunUs ?? 0
    const ageUs = this.#world.clock.wallUs() - begunUs
    // An age below zero is a clock that was set back: it says nothing.
    return this.#bytes >= this.#limits.storeBytes || ageUs >= this.#limits.storeAgeMs * 1000
  }

  /**
   * Puts entries on the disk, synced.
   * @returns the chain after them
   */
  async append(entries: readonly Entry[]): Promise<Buffer> {
    const store = this.#series.newest ?? (await this.begin())
    const blocks = [
      ...sealBlocks(entries, this.#head.chain, {
        blockBytes: BLOCK_BYTES,
        dictionaries: store.dictionaries,
        dictionary: store.dictionary,
        randomBytes: (count) => this.#world.random.bytes(count)
      })
    ]
    this.#bytes += await store.append(blocks)
    return blocks.at(-1)!.chainAfter
  }

  async begin(): Promise<BlockStore> {
    await this.#headFirst()
    const { nextPosition, chain } = this.#head
    const store = await this.#series.begin(nextPosition, chain, this.#pending.states.highestSeq)
    this.#bytes = 0
    return store
  }

  /**
   * After a failed write nothing more goes to the same store: LevelDB fails each later write, and what a failed sync
   * left behind nobody knows. A new store goes on at the last position that is certain; what the old one may hold from
   * there on is not read. Never rejects.
   */
  async abandon(error: unknown): Promise<void> {
    await this.#headFirst()
    const { nextPosition, chain } = this.#head
    try {
      await this.#series.abandonNewest(nextPosition, chain, this.#pending.states.highestSeq, error)
      this.#bytes = 0
    } catch (cause) {
      this.#log.debug({ err: cause }, 'no new store yet')
    }
  }

  /**
   * The head is on the disk before a store is begun, so that it knows of all that is in those before: their disk may not
   * be there at the next start.
   */
  async #headFirst(): Promise<void> {
    try {
      await this.#head.save()
    } catch (error) {
      this.#log.debug({ err: error }, 'the head could not be written before a store')
    }
  }
}
