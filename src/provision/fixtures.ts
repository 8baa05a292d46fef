import { type Ran, Running } from '../../test/support/shell.ts'
import { credentialFiles, type TokenOrder } from '../sim/relay/credentials.ts'
import { Simulation } from '../sim/world/simulation.ts'

export const BOOT = '/boot/firmware'
export const DATA = '/var/lib/understudy'
export const TO = `${DATA}/provision`
export const LINE = `provision --from ${BOOT} --to ${TO}`
export const DAY_S = 86_400

/** A simulated Pi with a boot partition of its own, and what provisioning asks of a system. */
export class FreshPi {
  readonly simulation: Simulation
  readonly machine
  /** The boot partition. */
  readonly card
  readonly nowMs: number
  #keys = 0

  constructor(seed = 5) {
    this.simulation = new Simulation(seed)
    this.machine = this.simulation.machine('pi')
    this.machine.clock.setSynchronised(true)
    this.nowMs = this.machine.clock.wallUs() / 1000
    this.card = this.machine.mount(BOOT, 60e6)
    this.machine.programs.set('ssh-keygen', async (args, { world }) => {
      const path = args[args.indexOf('-f') + 1]!
      if (args[0] === '-y') return { code: 0, stdout: `ssh-ed25519 ${(await world.files.readFile(path)).toString()}\n` }
      await world.files.writeFile(path, `KEY${++this.#keys} ${args[args.indexOf('-C') + 1]}`, 0o600)
      return { code: 0 }
    })
  }

  get files() {
    return this.machine.world.files
  }

  async put(path: string, content: string | Uint8Array): Promise<void> {
    await this.simulation.complete(this.files.makeDirectory(path.slice(0, path.lastIndexOf('/'))))
    await this.simulation.complete(this.files.writeFile(path, content))
  }

  pairOf(stream: string, order: Partial<TokenOrder> = {}) {
    return credentialFiles(stream, { secret: 'any', audience: 'https://relay.example', nowMs: this.nowMs, ...order })
  }

  /** Puts a pair of files into a folder; gives its token. */
  async bring(stream: string, order: Partial<TokenOrder> = {}, folder = BOOT): Promise<string> {
    const { accessFile, tokenFile, token } = this.pairOf(stream, order)
    for (const { name, content } of [accessFile, tokenFile]) await this.put(`${folder}/${name}`, content)
    return token
  }

  /** Runs a command to its end. */
  sh(line: string): Promise<Ran> {
    return this.simulation.complete(new Running(this.machine, line).result, 600_000)
  }

  async read(path: string): Promise<string> {
    return (await this.simulation.complete(this.files.readFile(path))).toString()
  }

  /** What lies in a folder, sorted. */
  async names(path: string): Promise<string[]> {
    return (await this.simulation.complete(this.files.list(path))).map(({ name }) => name).sort()
  }

  report(): Promise<string> {
    return this.read(`${BOOT}/understudy-report.txt`)
  }
}
