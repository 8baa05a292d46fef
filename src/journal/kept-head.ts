import type { Entry, Position } from './entry.ts'
import type { Head, HeadState } from './head.ts'
import type { Pending } from './pending.ts'
import type { StreamStates } from './stream-state.ts'
import type { DiskFailure } from './without-room.ts'

/** The end of what is on the disk, and the head file that tells it: how far it goes, and until when each stream was heard. */
export class KeptHead {
  /** Set while nothing can be committed: then the head tells that there was a process that heard all the same. */
  failure: DiskFailure | undefined
  readonly #head: Head
  readonly #pending: Pending
  /** The streams as of the last entry committed: what the head says must not run ahead of the stores. */
  readonly #streams: StreamStates
  readonly #copy: (state: HeadState) => Promise<void>
  #nextPosition: Position
  #chain: Buffer

  /** @param copy called with what is saved; never rejects */
  constructor(
    head: Head,
    pending: Pending,
    end: { readonly nextPosition: Position; readonly chain: Buffer },
    copy: (state: HeadState) => Promise<void>
  ) {
    this.#head = head
    this.#copy = copy
    this.#pending = pending
    this.#streams = pending.states.copy()
    this.#nextPosition = end.nextPosition
    this.#chain = end.chain
  }

  /** One above the last committed entry. */
  get nextPosition(): Position {
    return this.#nextPosition
  }

  /** After that entry. */
  get chain(): Buffer {
    return this.#chain
  }

  /** These are on the disk, and are told of when the head is written next. */
  follow(entries: readonly Entry[], chain: Buffer): void {
    this.#nextPosition = entries.at(-1)!.position + 1
    this.#chain = chain
    for (const entry of entries) this.#streams.follow(entry)
    this.failure = undefined
  }

  /** On the disk only after `sync`. */
  write(): Promise<void> {
    return this.#head.write(this.#state())
  }

  #state(): HeadState {
    const { monoUs, boot } = this.#pending.stamp()
    // A frame that waits may yet be lost: nothing is said to be heard beyond it.
    const provedUs = this.#pending.sinceUs ?? monoUs
    for (const [stream, durable] of this.#streams.streams) {
      const proofUs = Math.min(this.#pending.states.of(stream).proofUs, provedUs)
      if (durable.heard) durable.proofUs = Math.max(durable.proofUs, proofUs)
    }
    return {
      nextPosition: this.#nextPosition,
      chain: this.#chain.toString('hex'),
      boot,
      aliveUs: provedUs,
      running: this.#streams.running,
      firstSeq: this.#streams.firstSeq,
      streams: Object.fromEntries([...this.#streams.streams].map(([stream, state]) => [stream, { ...state }])),
      clockKnown: this.#streams.clockKnown,
      certainUs: this.#streams.certainUs,
      ...(this.failure && { failing: { cause: this.failure, aliveUs: monoUs } })
    }
  }

  sync(): Promise<void> {
    return this.#head.sync()
  }

  /** Writes it onto the disk, and has it copied. */
  async save(): Promise<void> {
    const state = this.#state()
    try {
      await this.#head.write(state)
      await this.sync()
    } finally {
      await this.#copy(state)
    }
  }

  close(): Promise<void> {
    return this.#head.close()
  }
}
