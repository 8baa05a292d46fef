import { ByteReader, ByteWriter } from '../journal/bytes.ts'
import type { Frame, Position } from '../journal/entry.ts'
import type { ReaderStates } from '../journal/reader-states.ts'
import type { Place } from '../journal/reading.ts'
import { messagesOf } from './messages.ts'
import type { Reader } from './reader.ts'

/** What a set is for: to be asked, to take the place of that when it has come as far, or to begin anew from. */
export type Role = 'live' | 'new' | 'base'

/** What is kept of a set beside its states. */
export interface SetFacts {
  readonly role: Role
  /** Of the reader that made it. */
  readonly version: number
  /** How far in the journal its states have come. */
  readonly place: Place
  /** How many messages did not count, by reason. */
  readonly skipped: Readonly<Record<string, number>>
}

/** What becomes of keys: `undefined` removes one. */
export type Changes = Array<readonly [key: string, value: Uint8Array | undefined]>

interface Held<State> {
  readonly state: State
  /** The last message that changed it stands here. */
  lastPosition: Position
  bytes: number
  changed: boolean
}

/** Of states that are as on the disk, so much stays in memory. */
const HELD_BYTES = 16e6

/** The states that a reader keeps, as of one place in the journal: on the disk, with what has changed since in memory. */
export class StateSet<State> {
  readonly slot: string
  readonly version: number
  /** How far its states have come, as they are in memory. */
  place: Place
  readonly skipped: Map<string, number>
  readonly #readers: ReaderStates
  readonly #reader: Reader<State>
  /** The least recently used first. */
  readonly #held = new Map<string, Held<State>>()
  #heldBytes = 0
  #changedBytes = 0

  /** @param slot the part of the reader's keys that is its own, see `slots` */
  constructor(
    readers: ReaderStates,
    reader: Reader<State>,
    slot: string,
    { version, place, skipped }: Omit<SetFacts, 'role'>
  ) {
    this.#readers = readers
    this.#reader = reader
    this.slot = slot
    this.version = version
    this.place = place
    this.skipped = new Map(Object.entries(skipped))
  }

  /** About what would be written now, in bytes. */
  get changedBytes(): number {
    return this.#changedBytes
  }

  async get(key: string): Promise<State | undefined> {
    return (this.#held.get(key) ?? (await this.#load(key)))?.state
  }

  /** Takes the messages of a frame into account. The place is to be set by who reads. */
  async take(frame: Frame): Promise<void> {
    if (frame.erased || !this.#reader.wants(frame)) return
    for (const message of messagesOf(frame)) {
      const taken = this.#reader.take(message)
      if (taken === undefined) continue
      if ('skipped' in taken) this.skipped.set(taken.skipped, (this.skipped.get(taken.skipped) ?? 0) + 1)
      else await this.change(taken.key, frame.position, taken.change)
    }
  }

  async change(key: string, position: Position, change: (state: State) => void): Promise<void> {
    const held = this.#held.get(key) ?? (await this.#load(key)) ?? this.#hold(key, this.#reader.begin(key), 0, 0)
    change(held.state)
    const bytes = this.#reader.size(held.state)
    this.#heldBytes += bytes - held.bytes
    this.#changedBytes += bytes - (held.changed ? held.bytes : 0)
    held.bytes = bytes
    held.changed = true
    held.lastPosition = Math.max(held.lastPosition, position)
    // As long as nothing has to go, it does not matter which was used last.
    if (this.#heldBytes < HELD_BYTES / 2) return
    this.#held.delete(key)
    this.#held.set(key, held)
  }

  /** What is to be written so that it is on the disk as it is now; then `written` is to be called. */
  changes(role: Role): Changes {
    const { version, place, skipped } = this
    const facts: SetFacts = { role, version, place, skipped: Object.fromEntries(skipped) }
    const changes: Changes = [[factsKey(this.slot), Buffer.from(JSON.stringify(facts))]]
    for (const [key, held] of this.#held) {
      if (!held.changed) continue
      const value = writeState(this.#reader.version, held.lastPosition, this.#reader.encode(held.state))
      changes.push([stateKey(this.slot, key), value])
    }
    return changes
  }

  written(): void {
    for (const held of this.#held.values()) held.changed = false
    this.#changedBytes = 0
  }

  /** Lets go of what has not been asked for or changed for long. */
  trim(): void {
    for (const [key, held] of this.#held) {
      if (this.#heldBytes <= HELD_BYTES) return
      if (held.changed) continue
      this.#held.delete(key)
      this.#heldBytes -= held.bytes
    }
  }

  /**
   * A hundred or so of the states, in order of their keys.
   * @param after only those behind this key
   * @returns also the key of the last that there was, if any
   */
  async some(
    after?: string
  ): Promise<{ states: Array<readonly [key: string, state: State]>; last: string | undefined }> {
    const prefix = stateKey(this.slot, '')
    const from = after === undefined ? undefined : stateKey(this.slot, after)
    const found = await this.#readers.some(this.#reader.name, prefix, from)
    const states = found.flatMap(([name, value]) => {
      const key = name.slice(prefix.length)
      const state = this.#held.get(key)?.state ?? this.#decode(key, value)?.state
      return state === undefined ? [] : [[key, state] as const]
    })
    return { states, last: found.at(-1)?.[0].slice(prefix.length) }
  }

  /**
   * Which of a hundred or so of the states have everything before a position.
   * @param after only those behind this key
   * @returns also the last that was looked at, if any
   */
  async before(position: Position, after?: string): Promise<{ keys: string[]; last: string | undefined }> {
    const prefix = stateKey(this.slot, '')
    const from = after === undefined ? undefined : stateKey(this.slot, after)
    const found = await this.#readers.some(this.#reader.name, prefix, from)
    const states = found.map(([name, value]) => {
      const key = name.slice(prefix.length)
      return { key, lastPosition: this.#held.get(key)?.lastPosition ?? readState(value).lastPosition }
    })
    const keys = states.filter(({ lastPosition }) => lastPosition < position).map(({ key }) => key)
    return { keys, last: states.at(-1)?.key }
  }

  /** They are not on the disk any more. */
  drop(keys: readonly string[]): void {
    for (const key of keys) {
      const held = this.#held.get(key)
      if (!held) continue
      this.#held.delete(key)
      this.#heldBytes -= held.bytes
      if (held.changed) this.#changedBytes -= held.bytes
    }
  }

  async #load(key: string): Promise<Held<State> | undefined> {
    const value = await this.#readers.get(this.#reader.name, stateKey(this.slot, key))
    const known = value && this.#decode(key, value)
    return known && this.#hold(key, known.state, known.lastPosition, this.#reader.size(known.state))
  }

  #hold(key: string, state: State, lastPosition: Position, bytes: number): Held<State> {
    const held: Held<State> = { state, lastPosition, bytes, changed: false }
    this.#held.set(key, held)
    this.#heldBytes += bytes
    return held
  }

  #decode(key: string, value: Buffer): { state: State; lastPosition: Position } | undefined {
    const { version, lastPosition, bytes } = readState(value)
    const state = this.#reader.decode(key, bytes, version)
    return state === undefined ? undefined : { state, lastPosition }
  }
}

/** Facts of all slots are beside each other. */
export const FACTS = 'facts/'

export function factsKey(slot: string): string {
  return `${FACTS}${slot}`
}

export function stateKey(slot: string, key: string): string {
  return `${slot}/${key}`
}

/** A state as it is kept, with the version of the reader that wrote it and where the last message in it stands. */
function writeState(version: number, lastPosition: Position, bytes: Uint8Array): Buffer {
  const into = new ByteWriter(bytes.length + 16)
  into.varint(version)
  into.varint(lastPosition)
  into.bytes(bytes)
  return into.view()
}

function readState(value: Buffer): { version: number; lastPosition: Position; bytes: Buffer } {
  const from = new ByteReader(value)
  const [version, lastPosition] = [from.varint(), from.varint()]
  return { version, lastPosition, bytes: value.subarray(from.at) }
}
