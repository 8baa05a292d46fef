import type { Frame, Position } from '../journal/entry.ts'

/** A message of a frame, with the place that it has among all others. */
export interface Message extends Pick<Frame, 'stream' | 'origin' | 'wallUs' | 'source'> {
  /** Parsed JSON, of any form. */
  readonly value: unknown
  /** Where its frame stands in the journal. By `position` and `part` all messages are in the order of their arrival. */
  readonly position: Position
  /** Which it is of the messages that the relay joined into the frame, from 0 on. */
  readonly part: number
}

/** What a reader makes of a message. */
type Taken<State> =
  /** It changes the state that is kept under a key. */
  | { readonly key: string; readonly change: (state: State) => void }
  /** It should have counted, and cannot. It is counted by this reason. */
  | { readonly skipped: string }

/**
 * Something that is computed from the journal: a state for each key, and how messages change it.
 *
 * Each message is given once. Nearly always they come in the order of their arrival, but what could not be read for a time
 * (a damaged store, a disk that was away) comes when it can be. So the same messages must make the same state in whatever
 * order they are given: then it is the same live, after any restart, and rebuilt. Sums and maxima are so by themselves; who
 * needs the order keeps the places of messages with what was made of them.
 */
export interface Reader<State> {
  /** Its states are kept under this name: letters, digits and dashes. */
  readonly name: string
  /** To be raised when messages make another state than before, or are chosen otherwise: then all is rebuilt. */
  readonly version: number
  /** Whether there may be something in a frame: what nobody wants is not even split. */
  wants(frame: Pick<Frame, 'stream' | 'origin'>): boolean
  /** `undefined` when it is none of its messages. Called for every message of the frames that it wants. */
  take(message: Message): Taken<State> | undefined
  /** The state of a key that has none yet. */
  begin(key: string): State
  encode(state: State): Uint8Array
  /**
   * @param version the one that wrote it, this or any former one: what was removed from the journal is known only by it
   * @returns `undefined` where nothing can be made of it any more
   */
  decode(key: string, bytes: Buffer, version: number): State | undefined
  /** About how much memory it takes, in bytes. */
  size(state: State): number
}
