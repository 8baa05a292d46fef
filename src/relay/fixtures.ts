import { type RelayOptions, SimulatedRelay } from '../sim/relay/relay.ts'
import { Simulation } from '../sim/world/simulation.ts'
import type { WebSocketConnection } from '../world/sockets.ts'
import type { RelayListener } from './listener.ts'
import { Roster, type RosterOptions } from './roster.ts'
import type { StreamSource } from './source.ts'

/** What a listener was told, in order. */
export interface Told {
  readonly atMs: number
  readonly what: keyof RelayListener
  readonly stream: string
  /** The further arguments, joined by spaces; of a frame its content. */
  readonly detail: string
}

const paces = { readIntervalMs: 500, pingIntervalMs: 10_000, silenceMs: 25_000 }

/** For tests: a Pi with a roster, a relay, and students, in a simulated world. */
export class Lab {
  readonly simulation: Simulation
  readonly relay: SimulatedRelay
  readonly pi
  readonly told: Told[] = []
  readonly logged: string[] = []
  readonly roster: Roster
  #ticks = 0

  constructor(options: { seed?: number; roster?: Partial<RosterOptions>; relay?: Partial<RelayOptions> } = {}) {
    this.simulation = new Simulation(options.seed ?? 1)
    const machine = this.simulation.machine('relay')
    this.relay = new SimulatedRelay(machine.world, { secret: 'a secret', host: 'relay', ...options.relay })
    this.pi = this.simulation.machine('pi')
    const log = (fields: object, message: string): void => void this.logged.push(JSON.stringify({ ...fields, message }))
    this.roster = new Roster(
      this.pi.world,
      { ...paces, ...options.roster, onTickEnd: () => this.#ticks++ },
      this.#listener(),
      {
        debug: log,
        info: log,
        warn: log,
        error: log
      }
    )
  }

  get ticks(): number {
    return this.#ticks
  }

  /** The relay started, these streams set, and a minute for all to be heard. */
  async begin(streams: readonly string[] = ['spin30']): Promise<void> {
    await this.simulation.complete(this.relay.start())
    this.roster.set(streams.map((stream) => this.source(stream)))
    this.roster.start()
    await this.simulation.runUntil(() => streams.every((stream) => this.count('heard', stream) > 0), 60_000)
  }

  source(stream: string, order: Parameters<SimulatedRelay['credentials']>[1] = {}): StreamSource {
    const { token } = this.relay.credentials(stream, order)
    return { stream, kind: 'code', accessUrl: `${this.relay.accessUrl}/session/${stream}-log`, token }
  }

  /** Somebody else on the stream, connected. */
  async student(stream = 'spin30'): Promise<WebSocketConnection> {
    let opened = false
    const connection = this.simulation
      .machine('student')
      .world.sockets.connect(
        this.relay.hostUrl(stream),
        { handshakeTimeoutMs: 1000, maxPayloadBytes: 1e9 },
        { opened: () => (opened = true), message() {}, ping() {}, pong() {}, closed() {} }
      )
    await this.simulation.runUntil(() => opened, 1000)
    return connection
  }

  of(...kinds: Array<Told['what']>): string[] {
    return this.told.filter(({ what }) => kinds.includes(what)).map(({ what, detail }) => `${what} ${detail}`.trim())
  }

  /** Of the last loss that said so. */
  heardUntilUs: number | undefined

  count(kind: Told['what'], stream = 'spin30'): number {
    return this.told.filter(({ what, stream: told }) => what === kind && told === stream).length
  }

  get nowMs(): number {
    return this.simulation.nowUs / 1000
  }

  #listener(): RelayListener {
    const note =
      (what: Told['what']) =>
      (stream: string | number, ...rest: unknown[]): void => {
        const detail = rest.filter((value) => value !== undefined).join(' ')
        this.told.push({ atMs: this.nowMs, what, stream: String(stream), detail })
      }
    return {
      added: note('added'),
      removed: note('removed'),
      heard: note('heard'),
      proof: note('proof'),
      frame: note('frame'),
      lost: (stream, cause, code, heardUntilUs) => {
        note('lost')(stream, cause, code)
        if (heardUntilUs !== undefined) this.heardUntilUs = heardUntilUs
      },
      doubted() {},
      uncertain: note('uncertain'),
      relayTime: note('relayTime')
    }
  }
}
