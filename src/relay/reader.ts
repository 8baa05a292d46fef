/**
 * Reads all sockets on one tick, since at a person's pace it is the wake-ups that cost. Between ticks the sockets are
 * paused; on a tick all are resumed, what is ready is delivered (round after round, until one brought nothing), and
 * they are paused again.
 *
 * Some are read at once instead, and are not paused:
 * - one that is live, because somebody needs its messages at once;
 * - one that is not proved yet, because its first pong decides what it is;
 * - one under load: after a tick in which it brought more than 32 frames or 16 kB (parts of a large frame count), until
 *   one brings less than half of both. So a busy stream is never far from the relay's limit of 128 waiting messages, and nothing flutters.
 *
 * While reading is held (memory is short) all are paused, live ones too. Each 4 s there is one round all the same, so
 * that the relay's pings are answered and it does not give the connections up; but not for a stream that has brought 16
 * kB that way: its pings lie behind too much. And one stream at a time may be relieved, to finish a large frame.
 */

import type { Ms, Timer, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { HoldReason } from './listener.ts'

const BUSY_FRAMES = 32
const BUSY_BYTES = 16 * 1024
/** A stream that sends faster than it is read must not keep a tick from ending. */
const MAX_ROUNDS = 16
/** The relay pings every 54 s and gives up a client that has not answered 6 s later. */
const SIP_MS = 4000

/** One socket, as the reader sees it. */
export interface Readable {
  pause(): void
  resume(): void
  /** Bytes read that belong to a frame not yet whole. */
  partialBytes(): number
}

/** A socket on the reader's list. Its owner sets the first two, and calls `Reader.update` after. */
export class Lane {
  live = false
  proved = false
  /** What it has brought since the last tick's end. */
  frames = 0
  bytes = 0
  /** What it has brought while reading was held. */
  heldBytes = 0
  busy = false
  /** Whether it was ever paused since the last tick's end. */
  rested = false
  paused = false
  readonly socket: Readable

  constructor(socket: Readable) {
    this.socket = socket
  }

  count(payload: Buffer): void {
    this.frames++
    this.bytes += payload.length
  }
}

/** A tick that has ended: what was ready when it began has been read. */
export interface Tick {
  readonly startUs: Us
  readonly endUs: Us
  /** How long nobody looked, beyond what was planned: the process was stopped, or busy with something else. */
  readonly lateMs: Ms
}

export class Reader {
  readonly #world: World
  readonly #intervalMs: Ms
  readonly #onTickEnd: (tick: Tick) => void
  readonly #lanes = new Set<Lane>()
  #timer: Timer | undefined
  #running = false
  #held: HoldReason | undefined
  /** Read although reading is held, until its frame is whole. */
  #relieved: Lane | undefined
  #sipUs: Us = 0
  /** When the next tick is to begin. */
  #dueUs: Us = 0

  constructor(world: World, intervalMs: Ms, onTickEnd: (tick: Tick) => void) {
    this.#world = world
    this.#intervalMs = intervalMs
    this.#onTickEnd = onTickEnd
  }

  /** Why reading is held, while it is. */
  get held(): HoldReason | undefined {
    return this.#held
  }

  /** How late the next tick is by now, or the present one, if it is under way. */
  get lateMs(): Ms {
    return Math.max(0, this.#world.clock.monoUs() - this.#dueUs) / 1000
  }

  start(): void {
    this.#running = true
    this.#plan()
  }

  stop(): void {
    this.#running = false
    this.#timer?.cancel()
  }

  add(socket: Readable): Lane {
    const lane = new Lane(socket)
    this.#lanes.add(lane)
    this.update(lane)
    return lane
  }

  remove(lane: Lane): void {
    this.#lanes.delete(lane)
  }

  /** Brings a lane's socket into the state that the rules ask for. */
  update(lane: Lane): void {
    const waits = this.#held ? lane !== this.#relieved : !(lane.live || !lane.proved || lane.busy)
    this.#set(lane, waits)
  }

  #set(lane: Lane, paused: boolean): void {
    if (paused === lane.paused) return
    lane.paused = paused
    if (paused) {
      lane.rested = true
      lane.socket.pause()
    } else lane.socket.resume()
  }

  /** Stops reading, until `release`; or the reason is known better now. */
  hold(reason: HoldReason): void {
    const isHeld = this.#held !== undefined
    this.#held = reason
    if (isHeld) return
    this.#sipUs = this.#world.clock.monoUs()
    for (const lane of this.#lanes) {
      lane.heldBytes = 0
      this.update(lane)
    }
  }

  /** While held: the lane with the largest part of a frame is read until that frame is whole. */
  relieve(): void {
    if (!this.#held || (this.#relieved && this.#lanes.has(this.#relieved) && partOf(this.#relieved) > 0)) return
    const former = this.#relieved
    const [largest] = [...this.#lanes].sort((a, b) => partOf(b) - partOf(a))
    this.#relieved = largest && partOf(largest) > 0 ? largest : undefined
    if (former && this.#lanes.has(former)) this.update(former)
    if (this.#relieved) this.update(this.#relieved)
  }

  release(): void {
    this.#held = undefined
    this.#relieved = undefined
    for (const lane of this.#lanes) this.update(lane)
  }

  #plan(): void {
    this.#dueUs = this.#world.clock.monoUs() + this.#intervalMs * 1000
    this.#timer = this.#world.timers.after(this.#intervalMs, () => this.#begin())
  }

  #begin(): void {
    const startUs = this.#world.clock.monoUs()
    if (!this.#held) {
      this.#resume()
      this.#round(startUs, MAX_ROUNDS)
    } else if (startUs - this.#sipUs >= SIP_MS * 1000) {
      this.#sipUs = startUs
      this.#resume()
      this.#round(startUs, 1)
    } else this.#finish(startUs)
  }

  #resume(): void {
    for (const lane of this.#lanes) {
      if (!lane.paused || (this.#held && lane.heldBytes > BUSY_BYTES)) continue
      lane.paused = false
      lane.socket.resume()
    }
  }

  #round(startUs: Us, rounds: number): void {
    const before = this.#received()
    this.#world.timers.afterInput(() => {
      if (!this.#running) return
      if (rounds > 1 && !this.#held && this.#received() !== before) this.#round(startUs, rounds - 1)
      else this.#finish(startUs)
    })
  }

  /** Changes with whatever is received: frames, and parts of large ones. */
  #received(): number {
    let received = 0
    for (const lane of this.#lanes) received += lane.frames + lane.bytes + lane.socket.partialBytes()
    return received
  }

  #finish(startUs: Us): void {
    const endUs = this.#world.clock.monoUs()
    const lateMs = Math.max(startUs - this.#dueUs, endUs - startUs) / 1000
    this.#onTickEnd({ startUs, endUs, lateMs })
    for (const lane of this.#lanes) {
      const share = lane.busy ? 0.5 : 1
      const bytes = lane.bytes + lane.socket.partialBytes()
      lane.busy = lane.frames > BUSY_FRAMES * share || bytes > BUSY_BYTES * share
      if (this.#held) lane.heldBytes += bytes
      lane.frames = 0
      lane.bytes = 0
      this.update(lane)
      lane.rested = lane.paused
    }
    if (this.#running) this.#plan()
  }
}

function partOf(lane: Lane): number {
  return lane.socket.partialBytes()
}
