import type { ServerConnection, ServerHandlers } from '../../world/sockets.ts'
import type { Ms, Us } from '../../world/time.ts'
import type { Dice } from './dice.ts'
import type { End } from './link.ts'
import type { Machine } from './machine.ts'
import type { Process } from './process.ts'
import type { Simulation } from './simulation.ts'

const localDelayUs = 50
const MONTH_MS = 30 * 86_400_000

interface Validity {
  readonly fromMs: Ms
  readonly toMs: Ms
}

export interface Listener {
  readonly process: Process
  readonly machine: Machine
  readonly localOnly: boolean
  readonly handlers: ServerHandlers
  readonly connections: Set<ServerConnection>
}

/** What lies between the machines. TCP as a program sees it: in order, whole, with bounded buffers, or broken. */
export class Network {
  /** Of the kernels at both ends together, a direction. */
  bufferBytes = 200_000
  /** One way, between two machines. */
  latencyUs: readonly [Us, Us] = [1_000, 20_000]
  readonly #simulation: Simulation
  readonly #dice: Dice
  readonly #aliases = new Map<string, Machine>()
  readonly #failures = new Map<string, string>()
  readonly #certificates = new Map<string, Validity>()
  readonly #parted: Array<readonly [Machine, Machine | undefined]> = []
  readonly #listeners = new Map<Machine, Map<number, Listener>>()
  readonly #ends = new Set<End>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    this.#dice = simulation.dice.fork('network')
  }

  /** Another host name for a machine. */
  alias(host: string, machine: Machine): void {
    this.#aliases.set(host, machine)
  }

  /** Every request and connection to the host fails with this code (CERT_HAS_EXPIRED, ENOTFOUND, HTTP_407, …) until it is `undefined`. */
  fail(host: string, code: string | undefined): void {
    if (code === undefined) this.#failures.delete(host)
    else this.#failures.set(host, code)
  }

  /** Its certificate is valid then, by the clock of whoever looks; else, by the true time, from a month ago for three. */
  certify(host: string, validity: Validity): void {
    this.#certificates.set(host, validity)
  }

  certificateOf(host: string): Validity {
    const nowMs = this.#simulation.trueWallUs / 1000
    return this.#certificates.get(host) ?? { fromMs: nowMs - MONTH_MS, toMs: nowMs + 2 * MONTH_MS }
  }

  /** From now on nothing gets through between the two (or between `a` and everyone), and nobody is told. */
  partition(a: Machine, b?: Machine): void {
    this.#parted.push([a, b])
  }

  /** Takes back every `partition` with the same arguments. What TCP has been trying to send arrives then. */
  heal(a: Machine, b?: Machine): void {
    const left = this.#parted.filter((pair) => pair[0] !== a || pair[1] !== b)
    this.#parted.splice(0, this.#parted.length, ...left)
    for (const end of this.#ends) if (!this.parted(end.machine, end.peer.machine)) end.retransmit()
  }

  /** Every connection between the two breaks with ECONNRESET. */
  reset(a: Machine, b: Machine): void {
    for (const end of [...this.#ends]) {
      if ((end.machine === a && end.peer.machine === b) || (end.machine === b && end.peer.machine === a)) end.reset()
    }
  }

  parted(a: Machine, b: Machine): boolean {
    if (a === b) return false
    return this.#parted.some(([one, other]) =>
      other ? (one === a && other === b) || (one === b && other === a) : one === a || one === b
    )
  }

  /** How long something takes from one machine to the other. */
  delayUs(from: Machine, to: Machine): Us {
    return from === to ? localDelayUs : this.#dice.int(...this.latencyUs)
  }

  /** Does something in a process of the other machine after the way there; never when they are parted. */
  carry(from: Machine, to: Machine, process: Process, run: () => void): void {
    this.#simulation.schedule(this.delayUs(from, to), () => {
      if (!this.parted(from, to)) process.deliver('input', run)
    })
  }

  /** Who answers there, an error's code, or `undefined` when nothing comes back at all. */
  find(from: Machine, url: URL): Listener | string | undefined {
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const failure = this.#failures.get(host)
    if (failure) return failure
    const machine = isLoopback(host) ? from : (this.#aliases.get(host) ?? this.#simulation.findMachine(host))
    if (!machine) return 'ENOTFOUND'
    if (!machine.on || this.parted(from, machine)) return undefined
    const secure = url.protocol === 'https:' || url.protocol === 'wss:'
    const listener = this.#listeners.get(machine)?.get(Number(url.port) || (secure ? 443 : 80))
    return listener && (machine === from || !listener.localOnly) ? listener : 'ECONNREFUSED'
  }

  /** Gives the port, or `undefined` when it is taken. */
  listen(port: number, listener: Listener): number | undefined {
    const ports = this.#listeners.get(listener.machine) ?? new Map<number, Listener>()
    this.#listeners.set(listener.machine, ports)
    let free = port || 40_000
    while (!port && ports.has(free)) free++
    if (ports.has(free)) return undefined
    ports.set(free, listener)
    return free
  }

  unlisten(machine: Machine, port: number): void {
    this.#listeners.get(machine)?.delete(port)
  }

  join(a: End, b: End): void {
    a.peer = b
    b.peer = a
    for (const end of this.#ends) if (!end.isOpen && !end.peer.isOpen) this.#ends.delete(end)
    this.#ends.add(a).add(b)
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
