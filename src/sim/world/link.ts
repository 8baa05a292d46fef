import type { Us } from '../../world/time.ts'
import type { Machine } from './machine.ts'
import type { Process } from './process.ts'

/** What one end of a connection tells the other: a frame, or that the connection is open or closed. */
export interface Frame {
  readonly kind: 'open' | 'text' | 'binary' | 'ping' | 'pong' | 'close'
  readonly payload: Buffer
}

/** A part of a frame under way. */
interface Piece {
  readonly frame: Frame
  readonly bytes: number
  readonly last: boolean
}

interface Segment {
  readonly sentUs: Us
  readonly pieces: Piece[]
}

export interface EndEvents {
  /** A frame was begun; false ends the connection. */
  begun(frame: Frame): boolean
  frame(frame: Frame): void
  /** Comes once; not to the one who closed. */
  closed(error?: string): void
}

/** One end of a connection, in a process. Bytes go into the kernels' buffers as long as there is room, and wait here else. */
export class End {
  readonly process: Process
  readonly machine: Machine
  /** Wire bytes handed to `send` that there was no room for. */
  unsentBytes = 0
  /** Wire bytes read of a frame that is not whole yet. */
  partialBytes = 0
  peer!: End
  events!: EndEvents
  readonly #waiting: Array<{ frame: Frame; left: number }> = []
  /** Sent and not yet read by the peer's process. */
  #underwayBytes = 0
  #segment: Segment | undefined
  #arrivesUs: Us = 0
  /** Sent into a partition: TCP goes on sending these until they arrive. */
  readonly #held: Segment[] = []
  /** In the kernel's receive buffer. */
  readonly #received: Piece[] = []
  #reading = false
  #paused = false
  #frozen = false
  #state: 'open' | 'closed' | 'gone' = 'open'
  readonly #forget: () => void

  constructor(process: Process, machine: Machine) {
    this.process = process
    this.machine = machine
    this.#forget = process.atEnd((why) => {
      if (why === 'killed') this.close()
      else this.#state = 'gone'
    })
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  send(frame: Frame): void {
    if (!this.isOpen) return
    // As RFC 6455 frames it: 2 to 14 bytes before the payload.
    const bytes = frame.payload.length + 6
    this.#waiting.push({ frame, left: bytes })
    this.unsentBytes += bytes
    this.#pump()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    if (this.#received.length === 0) return
    this.process.simulation.schedule(0, () => this.process.deliver('input', () => this.#read()))
  }

  /** Neither reads nor sends any more, and does not close. */
  freeze(): void {
    this.#frozen = true
  }

  /** What is on its way still arrives, then the peer learns that it is closed. */
  close(): void {
    if (!this.isOpen) return
    this.#end()
    this.#transmit([{ frame: { kind: 'close', payload: Buffer.alloc(0) }, bytes: 0, last: true }])
  }

  /** The connection breaks at once, as by a RST. */
  reset(error = 'ECONNRESET'): void {
    if (!this.isOpen) return
    this.#end()
    this.process.deliver('input', () => this.events.closed(error))
  }

  /** The network is whole again; but what froze, or has no power any more, sends nothing a second time either. */
  retransmit(): void {
    if (this.#frozen || this.#state === 'gone') return
    for (const segment of this.#held.splice(0)) this.#launch(segment)
  }

  #end(): void {
    this.#state = 'closed'
    this.#forget()
    this.#waiting.length = 0
    this.unsentBytes = 0
    this.#received.length = 0
  }

  #pump(): void {
    if (!this.isOpen || this.#frozen) return
    const { bufferBytes } = this.process.simulation.network
    const pieces: Piece[] = []
    for (let first = this.#waiting[0]; first && this.#underwayBytes < bufferBytes; first = this.#waiting[0]) {
      const bytes = Math.min(first.left, bufferBytes - this.#underwayBytes)
      first.left -= bytes
      this.#underwayBytes += bytes
      this.unsentBytes -= bytes
      pieces.push({ frame: first.frame, bytes, last: first.left === 0 })
      if (first.left === 0) this.#waiting.shift()
    }
    if (pieces.length > 0) this.#transmit(pieces)
  }

  #transmit(pieces: Piece[]): void {
    const sentUs = this.process.simulation.nowUs
    if (this.#segment?.sentUs === sentUs) {
      this.#segment.pieces.push(...pieces)
      return
    }
    this.#segment = { sentUs, pieces }
    this.#launch(this.#segment)
  }

  #launch(segment: Segment): void {
    const { simulation } = this.process
    const { network } = simulation
    const arrivesUs = simulation.nowUs + network.delayUs(this.machine, this.peer.machine)
    this.#arrivesUs = Math.max(this.#arrivesUs, arrivesUs)
    simulation.schedule(this.#arrivesUs - simulation.nowUs, () => {
      if (this.#segment === segment) this.#segment = undefined
      if (this.#held.length > 0 || network.parted(this.machine, this.peer.machine)) this.#held.push(segment)
      else this.peer.#arrive(segment.pieces)
    })
  }

  #arrive(pieces: Piece[]): void {
    if (this.#state === 'open') {
      for (const piece of pieces) this.#received.push(piece)
      if (this.#reading) return
      this.#reading = true
      this.process.deliver('input', () => {
        this.#reading = false
        this.#read()
      })
      return
    }
    // A machine that is up and knows nothing of the connection answers with RST; one that is off answers nothing.
    const { simulation } = this.process
    if (!this.machine.on || pieces.every((piece) => piece.frame.kind === 'close')) return
    simulation.schedule(simulation.network.delayUs(this.machine, this.peer.machine), () => {
      if (!simulation.network.parted(this.machine, this.peer.machine)) this.peer.reset()
    })
  }

  #read(): void {
    while (this.isOpen && !this.#paused && !this.#frozen) {
      const piece = this.#received.shift()
      if (!piece) break
      if (piece.frame.kind === 'close') {
        this.#end()
        this.events.closed()
        break
      }
      if (this.partialBytes === 0 && !this.events.begun(piece.frame)) break
      this.partialBytes += piece.bytes
      this.peer.#taken(piece.bytes)
      if (!piece.last) continue
      this.partialBytes = 0
      this.events.frame(piece.frame)
    }
  }

  #taken(bytes: number): void {
    this.#underwayBytes -= bytes
    this.#pump()
  }
}
