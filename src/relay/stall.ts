/**
 * Whether the relay may have dropped messages unseen.
 *
 * The relay queues 128 messages for each client and drops, silently, what comes while the queue is full. The queue
 * fills only while the relay cannot write to us: when we have not read for a while and the kernels' buffers on the way
 * are full. So before anything is dropped there are 128 messages in the queue, and if the connection holds, all 128
 * reach us once we read again. Turned round: **if fewer than 128 messages come from the moment we stopped reading until
 * the queue has been emptied, nothing was dropped.** That is all that can be proved from this side.
 *
 * When is the queue empty? A ping is sent as soon as we read again. Its pong does not wait in the queue, but it comes
 * after all that was written before it, and it shows that the relay can write to us again, which it then does with the
 * whole queue at once. So one further tick is read after the pong's, longer while part of a frame is on its way (but not
 * beyond three whole ones: the queue of the pong's time is in the first two), and then the count stands. If it is 128
 * or more, or the connection was lost before it stood, or a frame held something whose messages cannot be counted
 * (garbage, empty frames), the time since the last read is `uncertain`.
 *
 * This is asked after each stall of this process: a tick more than 2 s late (SIGSTOP, a blocked loop), or reading that
 * was held to save memory. A stream whose loop only ran a little late, or that rested between two ticks as planned, is
 * not asked: a pause that short needs more than the kernels buffer. There 128 messages *and* 64 kB after one pause are
 * taken as `overrun`.
 *
 * Known limit: an injector who sends parts of JSON values, or empty messages between others, can make 128 messages look
 * like fewer.
 */

import type { Ms, Us } from '../world/time.ts'
import type { HoldReason, UncertainReason } from './listener.ts'
import type { Lane, Tick } from './reader.ts'
import { split } from './splitter.ts'

/** What the relay queues for one client. */
const QUEUE_MESSAGES = 128
/** So many frames after the pong's tick hold whatever was queued at the pong's time. */
const DRAINED_FRAMES = 3
/** What the kernels take between the relay and us, at the least, before the relay has to queue. */
const BUFFERED_BYTES = 64 * 1024
/** A tick this late is a stall. */
export const STALL_MS: Ms = 2000
/** A tick this late has left a stream that is read at once waiting, as if it had rested. */
const LATE_MS: Ms = 250

export interface StallEvents {
  /** Sends a ping, gives its number. */
  ping(): number
  /** A doubt has begun, or (`undefined`) is settled; `uncertain` ends one too. */
  doubted(fromUs: Us | undefined): void
  uncertain(fromUs: Us, toUs: Us, reason: UncertainReason): void
}

/** A doubt: `held` until reading goes on, `pinged` until the pong's tick has ended, then `draining`. */
interface Doubt {
  readonly fromUs: Us
  reason: UncertainReason
  phase: 'held' | 'pinged' | 'draining'
  ping: number
  ponged: boolean
  /** Frames that came while draining. */
  frames: number
}

/** Watches one heard connection for messages that the relay may have dropped. */
export class StallWatch {
  readonly #lane: Lane
  readonly #events: StallEvents
  /** When all that was ready had last been read. */
  #readUs: Us
  /** The same, when no part of a frame was on its way besides. */
  #wholeUs: Us
  /** What came since the pause in question. */
  #tally = new Tally()
  #doubt: Doubt | undefined
  /** A pause that a large frame has carried over from an earlier tick; it ends with the tick after the frame's last. */
  #carried: { readonly fromUs: Us; ending: boolean } | undefined

  constructor(lane: Lane, nowUs: Us, events: StallEvents) {
    this.#lane = lane
    this.#readUs = nowUs
    this.#wholeUs = nowUs
    this.#events = events
  }

  /** The time at which what is read now can have come at the earliest. */
  earliestUs(nowUs: Us): Us {
    return this.#lane.rested ? this.#readUs : nowUs
  }

  frame(payload: Buffer): void {
    this.#tally.add(payload)
    if (this.#doubt?.phase === 'draining') this.#doubt.frames++
  }

  /** A later ping's pong proves as much: the relay may leave one out when it could not write. */
  pong(ping = 0): void {
    if (this.#doubt?.phase === 'pinged' && ping >= this.#doubt.ping) this.#doubt.ponged = true
  }

  /** Reading stops, until `released`; or the reason is known better now. */
  held(reason: HoldReason): void {
    this.#doubt ??= this.#begin(reason)
    if (this.#doubt.reason === 'memory full') this.#doubt.reason = reason
    this.#doubt.phase = 'held'
  }

  released(): void {
    if (this.#doubt) this.#ask(this.#doubt)
  }

  tickEnd(tick: Tick): void {
    if (this.#doubt?.phase === 'held') return
    if (tick.lateMs >= STALL_MS) {
      this.#doubt ??= this.#begin('stalled')
      this.#ask(this.#doubt)
    } else if (this.#doubt) {
      this.#judge(this.#doubt, tick)
    } else this.#look(tick)
    this.#readUs = tick.startUs
    if (this.#lane.socket.partialBytes() === 0) this.#wholeUs = tick.startUs
  }

  /**
   * The connection has ended: a doubt that is not settled stays. So does one that has had no tick to begin in, when the
   * loop stood still until now: `lateMs`.
   * @param tooLarge it ended over a frame that is larger than we take: what the relay had joined in it is lost
   */
  lost(nowUs: Us, lateMs: Ms, tooLarge: boolean): void {
    if (tooLarge) this.#events.uncertain(this.#doubt?.fromUs ?? this.#wholeUs, nowUs, 'frame too large')
    else if (this.#doubt) this.#events.uncertain(this.#doubt.fromUs, nowUs, this.#doubt.reason)
    else if (lateMs >= STALL_MS) this.#events.uncertain(this.#readUs, nowUs, 'stalled')
  }

  #begin(reason: UncertainReason): Doubt {
    this.#events.doubted(this.#readUs)
    return { fromUs: this.#readUs, reason, phase: 'pinged', ping: 0, ponged: false, frames: 0 }
  }

  #ask(doubt: Doubt): void {
    doubt.phase = 'pinged'
    doubt.ponged = false
    doubt.frames = 0
    doubt.ping = this.#events.ping()
  }

  #judge(doubt: Doubt, tick: Tick): void {
    if (doubt.phase === 'pinged') {
      if (doubt.ponged) doubt.phase = 'draining'
    } else if (this.#lane.socket.partialBytes() === 0 || doubt.frames >= DRAINED_FRAMES) {
      if (this.#tally.mayHaveFilledQueue()) this.#events.uncertain(doubt.fromUs, tick.endUs, doubt.reason)
      else this.#events.doubted(undefined)
      this.#doubt = undefined
      this.#forget()
    }
  }

  /** After an ordinary tick. */
  #look(tick: Tick): void {
    const partialBytes = this.#lane.socket.partialBytes()
    const isLarge = this.#tally.bytes + partialBytes >= BUFFERED_BYTES
    const waited = this.#carried || this.#lane.rested || tick.lateMs >= LATE_MS || partialBytes >= BUFFERED_BYTES
    if (!isLarge || !waited) {
      this.#forget()
      return
    }
    const carried = this.#carried ?? { fromUs: this.#readUs, ending: false }
    if (this.#tally.mayHaveFilledQueue()) {
      this.#events.uncertain(carried.fromUs, tick.endUs, 'overrun')
      this.#forget()
    } else if (carried.ending) {
      this.#forget()
    } else {
      // What waited behind a large frame may come with the next tick: it belongs to the same pause.
      carried.ending = partialBytes === 0
      this.#carried = carried
    }
  }

  #forget(): void {
    this.#tally = new Tally()
    this.#carried = undefined
  }
}

/** Counts messages as far as the question needs it: frames are kept and split only when their number does not tell. */
class Tally {
  bytes = 0
  #messages = 0
  #uncountable = false
  #kept: Buffer[] = []
  #keptBytes = 0

  add(payload: Buffer): void {
    this.bytes += payload.length
    if (this.#uncountable || this.#messages >= QUEUE_MESSAGES) return
    this.#kept.push(payload)
    this.#keptBytes += payload.length
    if (this.#messages + this.#kept.length >= QUEUE_MESSAGES) {
      this.#messages = QUEUE_MESSAGES
      this.#kept = []
    } else if (this.#keptBytes >= BUFFERED_BYTES) this.#count()
  }

  mayHaveFilledQueue(): boolean {
    this.#count()
    return this.#uncountable || this.#messages >= QUEUE_MESSAGES
  }

  #count(): void {
    for (const payload of this.#kept) {
      if (payload.length === 0) this.#uncountable = true
      for (const { kind } of split(payload)) {
        if (kind === 'other') this.#uncountable = true
        if (this.#uncountable || ++this.#messages >= QUEUE_MESSAGES) break
      }
    }
    this.#kept = []
    this.#keptBytes = 0
  }
}
