import { crc32 } from 'node:zlib'
import type { Entry, Position } from '../../src/journal/entry.ts'
import type { Place } from '../../src/journal/reading.ts'
import type { Simulation } from '../../src/sim/world/simulation.ts'
import type { Ms, Us } from '../../src/world/time.ts'
import type { World } from '../../src/world/world.ts'
import { codeOf } from './lab.ts'
import type { Plan } from './plan.ts'
import { Room } from './room.ts'

/** A head is on the disk this long after it was written, at the latest; what a cut and a damage together take may go unseen. */
const HEAD_US = 15_000_000

/** A message as the relay took it. */
export interface Sent {
  readonly atUs: Us
  readonly text: string
}

/** One process of the appliance. */
export interface Run {
  readonly index: number
  readonly world: World
  readonly boot: string
  /** The position after what was there when its journal was open, if it came to that. */
  openedAt: Position | undefined
  /** The frames that the relay client handed to the journal, by stream, in order. */
  readonly fed: Map<string, Buffer[]>
  /** The last number of each stream that the journal said is on the disk. */
  readonly acked: Map<string, number>
  ended: boolean
  stopping: boolean
}

/** A promise was broken; the model knows. */
export class Broken extends Error {}

/** What should be in the journal, kept in plain memory: what was sent, handed over, acknowledged and damaged. */
export class Model {
  readonly sent: Map<string, Sent[]>
  readonly runs: Run[] = []
  /** When each boot began. */
  readonly boots = new Map<string, Us>()
  /** What was once read as committed, by position. */
  readonly seen = new Map<Position, string>()
  /** Where each frame that was read is, by stream and number. */
  readonly positions = new Map<string, Position>()
  /** When each capture began, as it is on record. */
  readonly begun = new Map<string, Us>()
  /** The stores that were damaged on purpose. */
  readonly damaged = new Set<number>()
  /** One above the last position that was acknowledged. */
  ackedPosition: Position = 1
  /** What need not be there: from, to (exclusive). A cut took the newest store's damaged end, and the head that knew of it. */
  readonly excused: Array<readonly [Position, Position]> = []
  /** Stalls that fit between two ticks: a stream that is read at once does not notice them (see checkSilence). */
  readonly shortStalls: Array<readonly [Us, Us]> = []
  /** Whether the Pi's clock was ever wrong or unsynchronised. */
  clockFaulty = false
  /** The first promise that was found broken. */
  broken: string | undefined
  /** When something last broke or was put right. */
  disturbedUs: Us = 0
  /** How long it took each time until something was committed, from when the disk worked again. */
  readonly recoveriesMs: Ms[] = []
  readonly room: Room
  readonly #simulation: Simulation
  readonly #note: (what: string) => void
  /** What a reader had made of what is before a position, by its name and the position. */
  readonly #sums = new Map<string, number>()
  /** Readers that have kept a place. */
  readonly #begun = new Set<string>()
  /** When the power went, until the journal is open again. */
  #cutUs: Us | undefined
  #newestDamaged = false
  #acks: Array<readonly [Us, Position]> = []

  constructor(simulation: Simulation, plan: Plan, streams: readonly string[], note: (what: string) => void) {
    this.room = new Room(simulation, plan, (what) => this.broke(what))
    this.#simulation = simulation
    this.#note = note
    this.sent = new Map(streams.map((stream) => [stream, []]))
  }

  /** Puts it down that a promise was broken. Gives an error to throw, for who cannot go on. */
  broke(what: string): Broken {
    this.#note(`BROKEN: ${what}`)
    this.broken ??= what
    return new Broken(what)
  }

  undisturbedSince(us: Us): boolean {
    return this.disturbedUs < us
  }

  // What happens

  booted(boot: string): void {
    this.boots.set(boot, this.#simulation.nowUs)
  }

  /** A message for the relay; gives its text, which is like no other. */
  sends(stream: string, padBytes: number): string {
    const all = this.sent.get(stream)!
    const text = `{"n":${all.length},"stream":"${stream}","pad":"${'x'.repeat(padBytes)}"}`
    all.push({ atUs: this.#simulation.nowUs, text })
    return text
  }

  starts(world: World): Run {
    const run: Run = {
      index: this.runs.length,
      world,
      boot: world.clock.boot,
      openedAt: undefined,
      fed: new Map(),
      acked: new Map(),
      ended: false,
      stopping: false
    }
    this.runs.push(run)
    return run
  }

  opened(run: Run, at: Position): void {
    run.openedAt = at
    this.#note(`opened at ${at}`)
    if (at < this.ackedPosition && !this.isExcused(at)) {
      this.broke(`the journal opens at ${at}, but ${this.ackedPosition - 1} was acknowledged`)
    }
    this.#newestDamaged = false
    this.#cutUs = undefined
    this.ackedPosition = Math.max(this.ackedPosition, at)
  }

  /** The number of a stream's last frame that is on the disk. */
  lastAcked(stream: string): number {
    return Math.max(0, ...this.runs.map(({ acked }) => acked.get(stream) ?? 0))
  }

  fed(run: Run, stream: string, payload: Buffer): void {
    const frames = run.fed.get(stream) ?? []
    run.fed.set(stream, frames)
    frames.push(payload)
  }

  pending(bytes: number, mostBytes: number): void {
    // One tick may bring what two floods and a large message hold before reading is held.
    if (bytes > mostBytes + 600_000) this.broke(`${bytes} bytes wait to be committed, ${mostBytes} are allowed`)
  }

  acknowledged(run: Run, lastSeqs: ReadonlyMap<string, number>, nextPosition: Position): void {
    if (run.ended) this.broke('a process that has ended acknowledges')
    for (const [stream, seq] of lastSeqs) run.acked.set(stream, seq)
    this.#note(`acknowledged to ${nextPosition} ${[...lastSeqs].map((pair) => pair.join(' ')).join(', ')}`)
    if (nextPosition <= this.ackedPosition && !this.isExcused(nextPosition - 1)) {
      this.broke(`position ${nextPosition - 1} is acknowledged after ${this.ackedPosition - 1}`)
    }
    this.ackedPosition = nextPosition
    const { nowUs } = this.#simulation
    // The last one that a head surely knows of stays: what came after it is what may go unseen.
    this.#acks.splice(
      0,
      this.#acks.findLastIndex(([atUs]) => atUs <= nowUs - HEAD_US)
    )
    this.#acks.push([nowUs, nextPosition])
  }

  ended(run: Run): void {
    run.ended = true
  }

  /** The power goes. */
  cut(): void {
    this.#cutUs ??= this.#simulation.nowUs
    if (this.#newestDamaged) this.#excuse(this.#cutUs)
  }

  damage(store: number, newest: boolean): void {
    this.damaged.add(store)
    if (!newest) return
    this.#newestDamaged = true
    if (this.#cutUs !== undefined) this.#excuse(this.#cutUs)
  }

  /** Of what the newest store had, the head that was on the disk when the power went may not know the last. */
  #excuse(cutUs: Us): void {
    const before = this.#acks.findLast(([atUs]) => atUs < cutUs - HEAD_US)
    const from = before?.[1] ?? this.#acks[0]?.[1] ?? 1
    this.excused.push([from, this.ackedPosition])
    for (let position = from; position < this.ackedPosition; position++) this.seen.delete(position)
  }

  /** Whether the store that is written was damaged since it was opened: that shows at the next opening. */
  get newestDamaged(): boolean {
    return this.#newestDamaged
  }

  isExcused(position: Position): boolean {
    return this.excused.some(([from, to]) => position >= from && position < to)
  }

  // What a reader reads

  fingerprint(entry: Entry): string {
    return entry.kind === 'event'
      ? `${entry.boot} ${entry.monoUs} ${entry.payload}`
      : `${entry.boot} ${entry.monoUs} ${entry.stream} ${entry.seq} ${crc32(entry.payload)} ${entry.payload.length}`
  }

  sees(entry: Entry): void {
    const { position } = entry
    const print = this.fingerprint(entry)
    const before = this.seen.get(position)
    if (before === undefined) {
      this.seen.set(position, print)
      if (entry.kind === 'frame') this.positions.set(`${entry.stream} ${entry.seq}`, position)
      else if (entry.event.event === 'capture') this.begun.set(entry.event.capture, entry.event.beginUs)
    } else if (before !== print) this.broke(`position ${position} is used twice: ${before}, then ${print}`)
    this.room.sees(entry)
    if (position >= this.ackedPosition) this.broke(`position ${position} is read before it is acknowledged`)
  }

  summed(reader: string, position: Position, sum: number): void {
    this.#sums.set(`${reader} ${position}`, sum)
  }

  /** @param position where it goes on; absent when it begins anew */
  resumes(reader: string, position: Position | undefined, sum: number): void {
    const expected = position === undefined ? 0 : this.#sums.get(`${reader} ${position}`)
    if (sum !== (expected ?? 0)) this.broke(`${reader} goes on at ${position} with ${sum} instead of ${expected}`)
    if (position === undefined && this.#begun.has(reader)) this.broke(`${reader} has lost its place`)
  }

  kept(reader: string, place: Place): void {
    this.#begun.add(reader)
    this.room.kept(reader, place)
  }

  /** Their store could not be read, and was set aside: they begin anew. */
  readersLost(): void {
    this.#begun.clear()
  }

  /** @param position where it stands, if it has come so far */
  readerFails(error: unknown, position?: Position): void {
    this.#note(`a reader fails: ${codeOf(error)}`)
    const code = (error as { code?: string }).code
    const impossible =
      code === undefined ||
      (code === 'UNDERSTUDY_CURSOR_TOO_NEW' && this.excused.length === 0) ||
      (code === 'UNDERSTUDY_CURSOR_TOO_OLD' && (position ?? 0) >= this.room.removedTo)
    if (impossible) this.broke(`a reader fails: ${error instanceof Error ? error.stack : error}`)
  }
}
