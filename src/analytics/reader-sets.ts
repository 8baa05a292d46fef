import type { Position } from '../journal/entry.ts'
import type { Journal } from '../journal/journal.ts'
import type { Place } from '../journal/reading.ts'
import type { Log } from '../log.ts'
import type { Reader } from './reader.ts'
import { type Changes, FACTS, factsKey, type SetFacts, StateSet, stateKey } from './state-set.ts'

/** Where the states of a set can lie: three at most are in use. */
const SLOTS = ['1', '2', '3', '4']
/** So much is copied or removed at a time. */
const BATCH_BYTES = 1e6
const BATCH_KEYS = 5000

/** The base is being copied into a new set, up to this key. */
interface Copying<State> {
  readonly into: StateSet<State>
  after: string | undefined
}

/**
 * The sets of states of one reader, as they lie in the readers' store: those that are asked for (`live`), those as of
 * the last store that was removed from the journal (`base`), and while all is computed anew those that will be asked for
 * (`anew`). Each change of them is one batch.
 */
export class ReaderSets<State> {
  live: StateSet<State>
  base: StateSet<State>
  anew: StateSet<State> | undefined
  readonly #journal: Journal
  readonly #reader: Reader<State>
  readonly #log: Log
  #copying: Copying<State> | undefined
  /** As on the disk: what stands before it in the journal the reader does not need any more. */
  #place: Place
  /** Slots that nothing is in, or what is of no use any more. */
  readonly #free: string[]
  /** Of those, where nothing is. */
  readonly #cleared = new Set<string>()

  private constructor(
    journal: Journal,
    reader: Reader<State>,
    log: Log,
    sets: { live: StateSet<State>; base: StateSet<State>; anew: StateSet<State> | undefined }
  ) {
    this.#journal = journal
    this.#reader = reader
    this.#log = log
    this.live = sets.live
    this.base = sets.base
    this.anew = sets.anew
    this.#place = sets.live.place
    const used = [sets.live, sets.base, sets.anew].map((set) => set?.slot)
    this.#free = SLOTS.filter((slot) => !used.includes(slot))
  }

  /**
   * What was kept; where there is nothing, both begin with the journal. What a newer version of the reader has made is
   * left to it, and read by none: this one then keeps its own under another name, beside it.
   */
  static async open<State>(journal: Journal, newest: Reader<State>, log: Log): Promise<ReaderSets<State>> {
    const { readers } = journal
    const kept = await readers.entries(newest.name, FACTS)
    const version = Math.max(0, ...kept.map(([, value]) => (JSON.parse(value.toString()) as SetFacts).version))
    const isNewer = version > newest.version
    const reader = isNewer ? { ...newest, name: `${newest.name}-v${newest.version}` } : newest
    if (isNewer) {
      const told = { reader: newest.name, version }
      log.error(told, 'what a newer release has made of the journal is left to it; it is made beside it')
    }
    const sets = new Map<SetFacts['role'], StateSet<State>>()
    for (const [key, value] of await readers.entries(reader.name, FACTS)) {
      const facts = JSON.parse(value.toString()) as SetFacts
      sets.set(facts.role, new StateSet(readers, reader, key.slice(FACTS.length), facts))
    }
    const nothing = { version: reader.version, place: { position: journal.firstPosition }, skipped: {} }
    const live = sets.get('live') ?? new StateSet(readers, reader, '1', nothing)
    const base = sets.get('base') ?? new StateSet(readers, reader, '2', nothing)
    const anew = sets.get('new')
    const opened = new ReaderSets(journal, reader, log, { live, base, anew })
    if (sets.size === 0) await opened.#commit([...live.changes('live'), ...base.changes('base')])
    if (anew && anew.version !== reader.version) await opened.begin()
    else if (!anew && live.version !== reader.version) await opened.begin()
    return opened
  }

  /** How far what is computed anew has come; absent when nothing is. */
  get rebuilding(): Position | undefined {
    return (this.anew ?? this.#copying?.into)?.place.position
  }

  /** Writes a set as it is. */
  async keep(set: StateSet<State>): Promise<void> {
    if (set === this.live) this.#place = set.place
    await this.#commit(set.changes(set === this.live ? 'live' : set === this.base ? 'base' : 'new'))
    set.written()
    // A copy of it would be of two times.
    if (set === this.base && this.#copying) await this.begin()
  }

  /** Changes states that are asked for, and those that all begins from, by what is not in the journal. */
  async change(changes: ReadonlyArray<readonly [key: string, change: (state: State) => void]>): Promise<void> {
    const { live, base } = this
    for (const [key, change] of changes) {
      for (const set of [live, base]) await set.change(key, this.#journal.nextPosition, change)
    }
    const again = this.rebuilding !== undefined
    this.#place = live.place
    await this.#commit([...live.changes('live'), ...base.changes('base'), ...this.#dropAnew()])
    for (const set of [live, base]) set.written()
    if (again) await this.begin()
  }

  /** Begins to compute all anew, from the base on; what was computed so far is dropped. */
  async begin(): Promise<void> {
    const dropped = this.#dropAnew()
    if (dropped.length > 0) await this.#commit(dropped)
    const { place, skipped } = await this.#facts(this.base)
    const facts = { version: this.#reader.version, place, skipped }
    this.#copying = { into: this.#set(await this.#emptySlot(), facts), after: undefined }
  }

  /** Whether the journal does not go on where the base ends; then `live` is to be written before there is more work. */
  get isBaseGone(): boolean {
    const { firstPosition, nextPosition } = this.#journal
    const { position } = this.base.place
    return position < firstPosition || position > nextPosition
  }

  /** Does a part of what is to be done besides reading; false when there is nothing. */
  async work(): Promise<boolean> {
    if (this.isBaseGone) await this.#mendBase()
    else if (this.#copying) await this.#copy(this.#copying)
    else return this.#clearOne()
    return true
  }

  /** What was computed anew has come to the end: it is what is asked for from now on. */
  async exchange(): Promise<void> {
    const { live, anew } = this
    this.#place = anew!.place
    await this.#commit([...anew!.changes('live'), [factsKey(live.slot), undefined]])
    anew!.written()
    this.live = anew!
    this.anew = undefined
    this.#free.push(live.slot)
  }

  /** Removes the states of which everything stands before a position. */
  async forget(position: Position): Promise<void> {
    const again = this.rebuilding !== undefined
    if (again) await this.#commit(this.#dropAnew())
    for (const set of [this.live, this.base]) {
      await this.keep(set)
      for (let after: string | undefined; ; ) {
        const { keys, last } = await set.before(position, after)
        if (last === undefined) break
        if (keys.length > 0) await this.#commit(keys.map((key) => [stateKey(set.slot, key), undefined] as const))
        set.drop(keys)
        after = last
      }
    }
    if (again) await this.begin()
  }

  #dropAnew(): Changes {
    const former = this.#copying?.into ?? this.anew
    this.#copying = undefined
    this.anew = undefined
    if (!former) return []
    this.#free.push(former.slot)
    return [[factsKey(former.slot), undefined]]
  }

  async #copy(copying: Copying<State>): Promise<void> {
    const { into } = copying
    const last = await this.#copyPart(this.base.slot, into.slot, copying.after)
    copying.after = last
    if (last !== undefined) return
    await this.#commit(into.changes('new'))
    this.anew = into
    this.#copying = undefined
  }

  /** Copies some of the states of a slot, behind this key; gives the last one's, if there was any. */
  async #copyPart(from: string, to: string, after: string | undefined): Promise<string | undefined> {
    const copies: Array<readonly [string, Buffer]> = []
    let bytes = 0
    let last = after
    while (bytes < BATCH_BYTES) {
      const some = await this.#journal.readers.some(this.#reader.name, stateKey(from, ''), last)
      if (some.length === 0) break
      for (const [key, value] of some) {
        copies.push([`${to}${key.slice(from.length)}`, value])
        bytes += value.length
      }
      last = some.at(-1)![0]
    }
    if (copies.length === 0) return undefined
    await this.#commit(copies)
    return last
  }

  async #emptySlot(): Promise<string> {
    const slot = this.#free.shift()!
    while (!this.#cleared.has(slot)) await this.#clear(slot)
    this.#cleared.delete(slot)
    return slot
  }

  async #clearOne(): Promise<boolean> {
    for (const slot of this.#free) if (!this.#cleared.has(slot) && (await this.#clear(slot))) return true
    return false
  }

  /** Removes a part of what lies in a slot; false when there is nothing. */
  async #clear(slot: string): Promise<boolean> {
    const keys: string[] = []
    for (let last: string | undefined; keys.length < BATCH_KEYS; ) {
      const some = await this.#journal.readers.some(this.#reader.name, stateKey(slot, ''), last)
      if (some.length === 0) break
      keys.push(...some.map(([key]) => key))
      last = some.at(-1)![0]
    }
    if (keys.length > 0) await this.#commit(keys.map((key) => [key, undefined] as const))
    else this.#cleared.add(slot)
    return keys.length > 0
  }

  /**
   * A store was removed, and the base could not be brought up to its end before: what is asked for has it. Where that does
   * not, it is lost to the reader.
   */
  async #mendBase(): Promise<void> {
    const { firstPosition, nextPosition } = this.#journal
    const [live, base] = [await this.#facts(this.live), await this.#facts(this.base)]
    const isReadable = ({ place }: SetFacts): boolean =>
      place.position >= firstPosition && place.position <= nextPosition
    const place = { position: firstPosition }
    if (isReadable(live)) await this.#replaceBase(live, this.live.slot)
    else {
      const told = { reader: this.#reader.name, fromPosition: base.place.position, toPosition: firstPosition }
      this.#log.warn(told, 'a part of the journal is gone that a reader had not read')
      const isOther = base.place.position > nextPosition
      await this.#replaceBase({ ...base, place, ...(isOther && { skipped: {} }) }, isOther ? undefined : this.base.slot)
    }
  }

  async #replaceBase(facts: SetFacts, from: string | undefined): Promise<void> {
    const again = this.rebuilding !== undefined
    const slot = await this.#emptySlot()
    for (let after: string | undefined; from !== undefined; ) {
      after = await this.#copyPart(from, slot, after)
      if (after === undefined) break
    }
    const mended = this.#set(slot, facts)
    const former = this.base.slot
    await this.#commit([...mended.changes('base'), [factsKey(former), undefined], ...this.#dropAnew()])
    this.base = mended
    this.#free.push(former)
    if (again) await this.begin()
  }

  /** As they are on the disk. */
  async #facts({ slot }: StateSet<State>): Promise<SetFacts> {
    return JSON.parse((await this.#journal.readers.get(this.#reader.name, factsKey(slot)))!.toString()) as SetFacts
  }

  #set(slot: string, facts: Omit<SetFacts, 'role'>): StateSet<State> {
    return new StateSet(this.#journal.readers, this.#reader, slot, facts)
  }

  async #commit(changes: Changes): Promise<void> {
    const { position } = this.base.place
    await this.#journal.readers.commit(this.#reader.name, { ...this.#place, base: position }, changes)
  }
}
