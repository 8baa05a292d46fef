import { dirname } from 'node:path'
import type { Log } from '../log.ts'
import { InTurn } from '../world/in-turn.ts'
import type { Ms, Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { CatalogueStore, Removal } from './catalogue.ts'
import type { Position } from './entry.ts'
import { type EraseBefore, Erasing } from './erasing.ts'
import { folderBytes } from './folder-bytes.ts'
import { PLAUSIBLE_US } from './known-time.ts'
import type { ReaderStates } from './reader-states.ts'
import type { Repairs } from './repairs.ts'
import type { Series } from './series.ts'
import type { Writer } from './writer.ts'

const EVERY_MS = 60_000
/** A reader that has not moved for so long does not pin anything any more. */
const FORGOTTEN_US = 30 * 86_400_000_000
/** With less free than this, each commit may be the one that fails. */
const LITTLE_BYTES = 32e6

export interface RetentionLimits {
  /** So much of the disk is kept free. */
  readonly minFreeBytes: number
  /** The stores and what was set aside of them are together not larger. */
  readonly maxBytes?: number | undefined
  /** What is older, and known to be elsewhere too, is removed. */
  readonly maxAgeMs?: Ms | undefined
  readonly eraseBefore?: EraseBefore
}

/** Something outside the journal that may be removed to make room. */
export interface Removable {
  readonly name: string
  readonly bytes: number
  /** All of it lay in the journal before this position. */
  readonly before: Position
  remove(): Promise<void>
}

/** Gives the oldest of what is known to be elsewhere too, or of what is not. */
export type Removables = (confirmed: boolean) => Promise<Removable | undefined>

/** How something is removed. */
export interface Removing {
  /** It is to be erased: what is known only by it is not to be kept. */
  readonly erased: boolean
  /** There is hardly any room left: what takes longer than a moment is to be left. */
  readonly urgent: boolean
}

/** Called before what stands before a position is removed, so that what was made of it can be kept. */
export type BeforeRemoval = (position: Position, how: Removing) => Promise<void>

/** What retention asks of the rest of the journal. */
interface Surroundings {
  readonly directory: string
  readonly readers: ReaderStates
}

type First = CatalogueStore & Required<Pick<CatalogueStore, 'finished'>>

/**
 * Removes whole stores where the disk or the journal is too full, or they are old. In this order: what later rooms
 * offer that is confirmed, stores that are confirmed and pinned by no reader, what was set aside and has been salvaged,
 * and then the oldest of all that is left, as a loss. Since both what is confirmed and what no reader needs are at the front, stores always go from the front, each
 * disk's for itself. The newest never goes. Each removal goes on record, and to the log.
 */
export class Retention {
  /** What there is outside the journal. */
  removable: Removables = async () => undefined
  readonly #world: World
  readonly #series: Series
  readonly #log: Log
  readonly #limits: RetentionLimits
  readonly #around: Surroundings
  readonly #erasing: Erasing
  /** Of finished stores, by their entries in the catalogue: whatever is done to a store makes a new one. */
  readonly #sizes = new WeakMap<CatalogueStore, number>()
  readonly #before: BeforeRemoval[] = []
  readonly #forgotten = new Set<string>()
  readonly #work = new InTurn()
  /** On record from these positions on. */
  #noted: Array<{ readonly removal: Removal; readonly position: Position }> = []
  #writer: Writer | undefined
  #repairs: Repairs | undefined
  #timer: Timer | undefined
  #stopped = false
  /** While nobody can be told before, what a reader wants to be told of stays, unless there is much too little room. */
  #sparing = true

  constructor(world: World, series: Series, log: Log, limits: RetentionLimits, around: Surroundings) {
    this.#world = world
    this.#series = series
    this.#log = log
    this.#limits = limits
    this.#around = around
    this.#erasing = new Erasing(series, log, limits.eraseBefore)
  }

  /** From now on there is a writer: what was removed before goes on record too, and it is looked after the limits every minute. */
  start(writer: Writer, repairs: Repairs): void {
    this.#writer = writer
    this.#repairs = repairs
    for (const removal of this.#series.removals) this.#note(removal)
    this.#timer = this.#world.timers.every(EVERY_MS, () => {
      this.#sparing = false
      void this.run()
    })
  }

  /** Removes what there is to remove. Never rejects. */
  run(): Promise<void> {
    return this.#work.run(async () => {
      if (this.#stopped) return
      // What cannot be noted now is noted the next time: it must not keep room from being made.
      await this.settle().catch((error) => this.#log.debug({ err: error }, 'removals could not be settled'))
      try {
        await this.#enforce()
      } catch (error) {
        this.#log.error({ err: error }, 'room could not be made')
      }
    })
  }

  /** @param prepare is called before a store is removed, which waits for it */
  beforeRemoval(prepare: BeforeRemoval): void {
    this.#before.push(prepare)
    this.#sparing = false
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    await this.#work.idle()
  }

  /** Stores that should have been erased by now, and lie on a disk that is away. */
  get unerased(): readonly CatalogueStore[] {
    const nowUs = this.#certainUs()
    return nowUs === undefined ? [] : this.#erasing.away(nowUs)
  }

  /** The catalogue forgets the removals that are on record on the disk. */
  async settle(): Promise<void> {
    const { nextPosition = 0 } = this.#writer ?? {}
    // What a disk that has gone meanwhile may still hold is removed when it is back.
    const there = new Set(this.#series.places.map(({ disk }) => disk))
    const done = this.#noted.filter(({ removal, position }) => position < nextPosition && there.has(removal.disk))
    await this.#series.settled(done.map(({ removal }) => removal))
    this.#noted = this.#noted.filter((noted) => !done.includes(noted))
  }

  async #enforce(): Promise<void> {
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#limits
    const pin = this.#pin()
    for (const place of this.#series.places) {
      try {
        await this.#freePlace(place, pin)
      } catch (error) {
        if (place.disk === undefined) throw error
        this.#log.error({ err: error }, 'room could not be made on the data disk')
      }
    }
    while ((await this.#journalBytes()) > maxBytes) {
      if ((await this.#removeNext('max_size', pin, () => true)) === undefined) break
    }
    while (await this.#removeAged(pin));
    while (await this.#eraseOldest(pin));
    const nowUs = this.#certainUs()
    if (nowUs !== undefined) this.#erasing.announce(this.#kept, nowUs)
  }

  /** Removes what lies on one disk until enough of it is free. */
  async #freePlace({ disk, folder }: Series['places'][number], pin: Position): Promise<void> {
    const freeBytes = async (): Promise<number> => (await this.#world.files.space(folder)).freeBytes
    const freeAtFirst = await freeBytes()
    for (let removedBytes = 0; ; ) {
      // What was removed counts also where the file system takes its time to give it back.
      if (Math.max(await freeBytes(), freeAtFirst + removedBytes) >= this.#limits.minFreeBytes) return
      const bytes = await this.#removeNext('min_free', pin, (store) => store.disk === disk, disk === undefined)
      if (bytes === undefined) return
      removedBytes += bytes
    }
  }

  /**
   * Gives the bytes of what was removed, if anything was.
   * @param concerned which stores may go
   * @param others whether what is no store may go first
   */
  async #removeNext(
    reason: Removal['reason'],
    pin: Position,
    concerned: (store: CatalogueStore) => boolean,
    others = false
  ): Promise<number | undefined> {
    const safe = others ? await this.removable(true) : undefined
    if (safe) {
      await safe.remove()
      this.#log.info({ name: safe.name, bytes: safe.bytes, reason }, 'removed; it is elsewhere too')
      return safe.bytes
    }
    const first = this.#first(concerned)
    if (first && this.#isFree(first, pin)) return this.#removeStore(first, reason, pin)
    const salvaged = this.#kept.find(
      (store) => concerned(store) && store.damaged?.salvaged && !store.damaged.asideRemoved
    )
    if (salvaged) return this.#remove(this.#describe(salvaged, 'set aside', reason, pin))
    const other = others ? await this.removable(false) : undefined
    if (other && (!first || other.before <= first.finished.nextPosition)) {
      await other.remove()
      this.#log.warn({ name: other.name, bytes: other.bytes, reason }, 'removed to make room')
      return other.bytes
    }
    return first && this.#removeStore(first, reason, pin)
  }

  async #removeAged(pin: Position): Promise<boolean> {
    const { maxAgeMs } = this.#limits
    const nowUs = this.#certainUs()
    const first = this.#first(() => true)
    if (maxAgeMs === undefined || nowUs === undefined || !first || !this.#isFree(first, pin)) return false
    if (nowUs - this.#endUs(first) <= maxAgeMs * 1000) return false
    return (await this.#removeStore(first, 'max_age', pin)) !== undefined
  }

  async #eraseOldest(pin: Position): Promise<boolean> {
    const nowUs = this.#certainUs()
    const first = this.#first(() => true)
    if (nowUs === undefined || !first || !this.#erasing.isDue(first, nowUs)) return false
    return (await this.#removeStore(first, 'erase_after', pin)) !== undefined
  }

  /** The stores that can go: what lies on a disk that is away is not touched. */
  get #kept(): readonly CatalogueStore[] {
    return this.#series.stores.filter((store) => !store.removed && !this.#series.isAway(store))
  }

  /** The store that goes next. Never the newest, nor one that is being worked on. */
  #first(concerned: (store: CatalogueStore) => boolean): First | undefined {
    const first = this.#kept.find(concerned)
    if (!first?.finished || first === this.#series.stores.at(-1)) return undefined
    if (first.number === this.#repairs?.salvaging) return undefined
    return { ...first, finished: first.finished }
  }

  #isFree({ finished }: First, pin: Position): boolean {
    return finished.nextPosition <= Math.min(this.#series.confirmed, pin)
  }

  /** When the store after it was begun. */
  #endUs({ number }: CatalogueStore): Us {
    const { stores } = this.#series
    return stores[stores.findIndex((store) => store.number === number) + 1]?.begunUs ?? this.#world.clock.wallUs()
  }

  /** Gives its bytes, or nothing when it must not go any more. */
  async #removeStore(first: First, reason: Removal['reason'], pin: Position): Promise<number | undefined> {
    const how = { erased: reason === 'erase_after', urgent: await this.#isUrgent(first) }
    if (this.#sparing && !how.urgent && this.#isAwaited(first, pin)) return undefined
    for (const prepare of this.#before) {
      // Room has to be made in any case.
      await prepare(first.finished.nextPosition, how).catch((error: unknown) => {
        if (!this.#stopped) this.#log.error({ err: error }, 'what was made of a store could not be kept before it goes')
      })
    }
    if (this.#stopped) return undefined
    // That may have taken long.
    const store = this.#first(({ number }) => number === first.number)
    return store && this.#remove(this.#describe(store, 'store', reason, pin))
  }

  /** Whether a reader has not read all of it, or makes something of it before it goes. */
  #isAwaited({ finished: { nextPosition } }: First, pin: Position): boolean {
    return (
      nextPosition > pin || this.#around.readers.all().some(({ base }) => base !== undefined && base < nextPosition)
    )
  }

  /** Whether there is so little room that nobody can be waited for long. */
  async #isUrgent({ number }: First): Promise<boolean> {
    // Asked of the folder above: the store's own is gone for a moment when a merged one takes its place.
    const { freeBytes } = await this.#world.files.space(dirname(this.#series.path(number)))
    return freeBytes < Math.max(this.#limits.minFreeBytes / 2, LITTLE_BYTES)
  }

  #describe(store: CatalogueStore, what: Removal['what'], reason: Removal['reason'], pin: Position): Removal {
    const toPosition = store.finished?.nextPosition ?? store.firstPosition
    const aside = store.damaged?.asideRemoved ? undefined : store.damaged?.aside
    return {
      event: 'removed',
      what,
      store: store.number,
      ...(store.disk !== undefined && { disk: store.disk }),
      fromPosition: store.firstPosition,
      toPosition,
      fromUs: store.begunUs,
      toUs: this.#endUs(store),
      bytes: 0,
      ...(aside && { aside }),
      confirmed: toPosition <= this.#series.confirmed,
      pinned: toPosition > pin,
      reason
    }
  }

  /** Gives its bytes, or nothing when it must not go any more. */
  async #remove(described: Removal): Promise<number | undefined> {
    const { files } = this.#world
    const { aside, store, what } = described
    const entry = this.#series.find(store)
    let bytes = 0
    if (aside) bytes += await folderBytes(files, this.#series.asidePath(described, { aside }))
    if (what === 'store') bytes += await folderBytes(files, this.#series.path(store))
    // Counting may take long enough for a store to be set aside, and what lies aside would stay for good.
    if (this.#series.find(store) !== entry || store === this.#repairs?.salvaging) return undefined
    const removal = { ...described, bytes }
    await this.#series.remove(removal)
    const { confirmed, pinned, reason, fromPosition, toPosition } = removal
    const told = { store, what, fromPosition, toPosition, bytes, confirmed, pinned, reason }
    if (confirmed && !pinned) this.#log.info(told, 'a part of the journal was removed; it is elsewhere too')
    else if (reason === 'erase_after') this.#log.warn(told, 'a part of the journal was erased, as erase_after demands')
    else this.#log.warn(told, 'a part of the journal was removed to make room')
    this.#note(removal)
    return bytes
  }

  #note(removal: Removal): void {
    const entry = this.#writer?.note(removal)
    if (entry) this.#noted.push({ removal, position: entry.position })
  }

  /** The first position that a reader needs. */
  #pin(): Position {
    const nowUs = this.#certainUs()
    let pin = Number.MAX_SAFE_INTEGER
    for (const { reader, position, skipped = [], seenUs } of this.#around.readers.all()) {
      if (nowUs !== undefined && seenUs >= PLAUSIBLE_US && nowUs - seenUs > FORGOTTEN_US) {
        if (!this.#forgotten.has(reader)) {
          this.#log.warn(
            { reader },
            'a reader was not seen for 30 days; what it has not read is not kept for it any more'
          )
        }
        this.#forgotten.add(reader)
        continue
      }
      this.#forgotten.delete(reader)
      pin = Math.min(pin, position, ...skipped.map(({ from }) => from))
    }
    return pin
  }

  /** The time, where it is certain: a clock that is wrong by years must not age anything. */
  #certainUs(): Us | undefined {
    const { wallUs, source } = this.#writer?.stamp() ?? {}
    return source === 'none' ? undefined : wallUs
  }

  async #journalBytes(): Promise<number> {
    let bytes = 0
    for (const store of this.#kept) {
      const size = this.#sizes.get(store) ?? (await this.#sizeOf(store))
      if (store.finished) this.#sizes.set(store, size)
      bytes += size
    }
    return bytes
  }

  async #sizeOf(store: CatalogueStore): Promise<number> {
    const { files } = this.#world
    const { number, damaged } = store
    const own = await folderBytes(files, this.#series.path(number))
    return (
      own + (damaged && !damaged.asideRemoved ? await folderBytes(files, this.#series.asidePath(store, damaged)) : 0)
    )
  }
}
