import type { Us } from '../world/time.ts'
import type { Entry, GapCause, JournalEvent, Standing } from './entry.ts'
import type { HeadState } from './head.ts'

/** What the journal knows of a stream at its end. */
export interface StreamState {
  /** Its last frame's number, 0 for none. */
  seq: number
  /** Whether it is on the roster. */
  wanted: boolean
  heard: boolean
  /** Why it is not heard, as last noted; absent while it is, and where nothing was noted. */
  gap?: Exclude<Standing, 'heard'>
  /** Monotonic time of the last proof of hearing it, in the boot it was heard in. */
  proofUs: Us
  /** From when on it is in doubt whether all that was sent has come; absent while it is not. */
  doubtUs?: Us
}

/** The streams at one end of the journal, and when and in which boot that was. */
export class StreamStates {
  readonly streams: Map<string, StreamState>
  /** The number before the first of a stream that is not known yet. */
  #firstSeq = 0
  /** Whether a process was writing: it is false after a clean end only. */
  running: boolean
  boot: string
  /** The last sign of life, monotonic time in `boot`. */
  aliveUs: Us
  /** See `KnownTime`. */
  clockKnown: boolean
  certainUs: Us | undefined
  /** Why nothing of what was heard since then could be committed, and until when there was a process that heard. */
  failing: HeadState['failing']

  constructor(head?: HeadState) {
    this.streams = new Map(Object.entries(head?.streams ?? {}).map(([name, state]) => [name, { ...state }]))
    this.running = head?.running ?? false
    this.boot = head?.boot ?? ''
    this.aliveUs = head?.aliveUs ?? 0
    this.failing = head?.failing
    this.clockKnown = head?.clockKnown ?? false
    this.certainUs = head?.certainUs
    this.#firstSeq = head?.firstSeq ?? 0
  }

  get firstSeq(): number {
    return this.#firstSeq
  }

  copy(): StreamStates {
    const copy = new StreamStates()
    for (const [stream, state] of this.streams) copy.streams.set(stream, { ...state })
    copy.running = this.running
    copy.boot = this.boot
    copy.aliveUs = this.aliveUs
    copy.#firstSeq = this.#firstSeq
    copy.clockKnown = this.clockKnown
    copy.certainUs = this.certainUs
    return copy
  }

  of(stream: string): StreamState {
    let state = this.streams.get(stream)
    if (!state) {
      state = { seq: this.#firstSeq, wanted: false, heard: false, proofUs: 0 }
      this.streams.set(stream, state)
    }
    return state
  }

  /** Makes the numbers of all streams go on from here at least, also of those not known yet: what is lost may have had them. */
  raise(seq: number): void {
    this.#firstSeq = seq
    for (const state of this.streams.values()) state.seq = Math.max(state.seq, seq)
  }

  get highestSeq(): number {
    let highest = this.#firstSeq
    for (const { seq } of this.streams.values()) highest = Math.max(highest, seq)
    return highest
  }

  /** Takes an entry that follows. Imported ones carry other times and prove no hearing. */
  follow(entry: Entry): void {
    this.failing = undefined
    if (entry.kind === 'frame') {
      const state = this.of(entry.stream)
      state.seq = Math.max(state.seq, entry.seq)
      if (entry.origin === 'import') return
      if (entry.origin === 'relay') state.proofUs = entry.monoUs
    } else {
      this.#followEvent(entry.event, entry.monoUs)
    }
    if (entry.boot !== this.boot) this.clockKnown = false
    if (entry.source === 'ntp' || entry.source === 'trusted') this.clockKnown = true
    if (entry.source !== 'none') this.certainUs = entry.wallUs
    this.boot = entry.boot
    this.aliveUs = entry.monoUs
  }

  #followEvent(event: JournalEvent, monoUs: Us): void {
    switch (event.event) {
      case 'start':
        this.running = true
        break
      case 'stop':
        this.running = false
        break
      case 'stream':
        this.of(event.stream).wanted = event.state === 'added'
        break
      case 'heard': {
        const state = this.of(event.stream)
        state.heard = true
        delete state.gap
        state.proofUs = monoUs
        break
      }
      case 'doubt':
        this.of(event.stream).doubtUs = event.fromUs
        break
      case 'settled':
      case 'uncertain':
        delete this.of(event.stream).doubtUs
        break
      case 'gap': {
        const state = this.of(event.stream)
        state.heard = false
        delete state.doubtUs
        state.gap = event.code ? { cause: event.cause, code: event.code } : { cause: event.cause }
        break
      }
    }
  }

  /** How each stream of which anything was noted stands. */
  get standing(): Record<string, Standing> {
    const standing: Array<[string, Standing]> = []
    for (const [stream, { heard, gap }] of this.streams) {
      if (heard) standing.push([stream, 'heard'])
      else if (gap) standing.push([stream, gap])
    }
    return Object.fromEntries(standing)
  }

  /**
   * What a process left behind that ended without saying so: a stream that was heard was heard until its last proof, the
   * others were not heard, for another reason, from the last sign of life on; a doubt was not settled. Where it heard
   * and could not commit, that is lost, and the cause of a gap of its own.
   * @param boot the boot it is now
   */
  unfinished(boot: string): Array<Extract<JournalEvent, { event: 'gap' | 'uncertain' }>> {
    if (!this.running) return []
    const cause: GapCause = boot === this.boot ? 'stopped' : 'host rebooted'
    const inBoot = { boot: this.boot }
    return [...this.streams]
      .filter(([, { wanted, heard }]) => wanted || heard)
      .flatMap(([stream, { heard, proofUs, doubtUs }]) => {
        const sinceUs = heard ? proofUs : this.aliveUs
        const gap = { event: 'gap' as const, stream, cause, ...inBoot, sinceUs }
        const { failing } = this
        const gaps = failing
          ? [
              { ...gap, cause: failing.cause },
              { ...gap, sinceUs: Math.max(sinceUs, failing.aliveUs) }
            ]
          : [gap]
        if (doubtUs === undefined || doubtUs >= proofUs) return gaps
        const reason = 'stopped'
        return [{ event: 'uncertain' as const, stream, ...inBoot, fromUs: doubtUs, toUs: proofUs, reason }, ...gaps]
      })
  }
}
