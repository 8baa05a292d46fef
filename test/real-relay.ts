import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { RelayPeer } from '../src/sim/relay/peer.ts'
import { sleep } from '../src/world/time.ts'
import type { World } from '../src/world/world.ts'

/** The real relay's program, as the suites are told of it; `undefined` where there is none. */
export const realRelayBinary = process.env['UNDERSTUDY_RELAY_BIN'] || undefined

/** The real relay as a child process on free ports of 127.0.0.1. */
export class RealRelay implements RelayPeer {
  readonly secret = 'a secret of the suites'
  readonly #world: World
  readonly #binary: string
  #accessPort = 0
  #relayPort = 0
  #child: ChildProcess | undefined

  constructor(world: World, binary: string) {
    this.#world = world
    this.#binary = binary
  }

  get accessUrl(): string {
    return `http://127.0.0.1:${this.#accessPort}`
  }

  get relayUrl(): string {
    return `ws://127.0.0.1:${this.#relayPort}`
  }

  async start(): Promise<void> {
    if (this.#accessPort === 0) [this.#accessPort, this.#relayPort] = await twoFreePorts()
    this.#child = spawn(this.#binary, ['serve'], {
      stdio: 'ignore',
      env: {
        RELAY_AUDIENCE: this.accessUrl,
        RELAY_SECRET: this.secret,
        RELAY_PORT_ACCESS: String(this.#accessPort),
        RELAY_PORT_RELAY: String(this.#relayPort),
        RELAY_URL: this.relayUrl,
        RELAY_LOG_FILE: '/dev/null',
        RELAY_LOG_LEVEL: 'error',
        RELAY_PROFILE: 'false'
      }
    })
    await this.#answers(this.accessUrl)
    await this.#answers(this.relayUrl.replace('ws:', 'http:'))
  }

  /** By SIGKILL: it may take minutes over anything gentler. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Half-open from now on: its kernel goes on to take what is sent, and nothing is read or answered, until `thaw`. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async #answers(url: string): Promise<void> {
    for (let attempt = 0; attempt < 500; attempt += 1) {
      try {
        await this.#world.sockets.request(url, { method: 'GET', timeoutMs: 5000 })
        return
      } catch {
        if (this.#child?.exitCode !== null) throw new Error(`${this.#binary} ended with ${this.#child?.exitCode}`)
        await sleep(this.#world.timers, 20)
      }
    }
    throw new Error(`${this.#binary} does not answer`)
  }
}

/** Both are taken before either is given back, so they differ. */
async function twoFreePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    ports.push((server.address() as { port: number }).port)
  }
  for (const server of servers) server.close()
  return [ports[0]!, ports[1]!]
}
