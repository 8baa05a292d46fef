import type { ErrorCode } from '../errors.ts'
import type { LossCause, RelayListener, UncertainReason } from '../relay/listener.ts'
import type { Ms, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { Stamp } from './entry.ts'
import { readHead } from './head.ts'
import type { Hearing } from './hearing.ts'
import { journalPaths } from './paths.ts'
import { ENTRY_BYTES } from './pending.ts'
import { Timekeeper } from './timekeeper.ts'
import type { Writer } from './writer.ts'

/** Something that was told, and when. */
interface Told {
  stamp: Stamp
  readonly tell: (hearing: Hearing, writer: Writer) => void
}

/**
 * What the relay client tells while there is no journal yet to put it into, because the disk has no room to open one. It
 * is kept in memory with the time it was told at, and handed over in order.
 */
export class EarlyHearing implements RelayListener {
  /** Goes on in the journal. */
  readonly time: Timekeeper
  /** When this process began to hear. */
  readonly begun: Stamp
  #told: Told[] = []
  /** Of each stream that is heard: of proofs only the last is worth anything. */
  readonly #proofs = new Map<string, Told>()
  #frames = 0
  #bytes = 0

  private constructor(time: Timekeeper) {
    this.time = time
    this.begun = time.stamp()
    time.changed = (steppedUs) => this.#keep((_, writer) => writer.note({ event: 'clock', steppedUs }))
  }

  /** @param directory the data folder, whose head may know something of the time */
  static async start(world: World, directory: string, trusted: boolean): Promise<EarlyHearing> {
    const known = await readHead(world.files, journalPaths(directory).head).catch(() => undefined)
    const time = new Timekeeper(world, { trusted, known })
    await time.start()
    return new EarlyHearing(time)
  }

  /** What it keeps, about as it is in memory. */
  get pendingBytes(): number {
    return this.#bytes
  }

  get frames(): number {
    return this.#frames
  }

  /** Tells a journal everything as of its time; from then on that hears for itself. */
  handOver(hearing: Hearing, writer: Writer): void {
    for (const { stamp, tell } of this.#told) {
      writer.goBack(stamp)
      tell(hearing, writer)
    }
    writer.goBack(undefined)
    this.#told = []
    this.#bytes = 0
  }

  added(stream: string): void {
    this.#keep((hearing) => hearing.added(stream))
  }

  removed(stream: string): void {
    this.#keep((hearing) => hearing.removed(stream))
  }

  heard(stream: string): void {
    this.#keep((hearing) => hearing.heard(stream))
  }

  proof(stream: string): void {
    const last = this.#proofs.get(stream)
    if (last) last.stamp = this.time.stamp()
    else
      this.#proofs.set(
        stream,
        this.#keep((hearing) => hearing.proof(stream))
      )
  }

  frame(stream: string, payload: Buffer, binary: boolean): void {
    this.#frames++
    // A frame is a proof too, as of its time: later ones come after it.
    this.#proofs.delete(stream)
    this.#keep((hearing) => hearing.frame(stream, payload, binary), payload.length)
  }

  lost(stream: string, cause: LossCause, code?: ErrorCode, heardUntilUs?: Us): void {
    this.#proofs.delete(stream)
    this.#keep((hearing) => hearing.lost(stream, cause, code, heardUntilUs))
  }

  doubted(stream: string, fromUs: Us | undefined): void {
    this.#keep((hearing) => hearing.doubted(stream, fromUs))
  }

  uncertain(stream: string, fromUs: Us, toUs: Us, reason: UncertainReason): void {
    this.#keep((hearing) => hearing.uncertain(stream, fromUs, toUs, reason))
  }

  get unknownSinceMs(): Ms | undefined {
    return this.time.unknownSinceMs
  }

  relayTime(dateMs: Ms, tookMs: Ms, verified: boolean): void {
    if (verified) this.time.relayTime(dateMs, tookMs)
  }

  get wantsRelayTime(): boolean {
    return this.time.wantsRelayTime
  }

  #keep(tell: Told['tell'], bytes = 0): Told {
    const told: Told = { stamp: this.time.stamp(), tell }
    this.#told.push(told)
    this.#bytes += ENTRY_BYTES + bytes
    return told
  }
}
