import { type RelayOptions, SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { realWorld } from '../../src/world/real.ts'
import { message } from '../kill/feeder.ts'
import { until } from '../sync/rig.ts'
import { EmulatedPi, HOST } from './emulated-pi.ts'

/** A command on the Pi that runs a script with the recorder at hand, as `running`. */
const asking = (script: string): string => `/opt/understudy/node/bin/node --input-type=module -e "
import { connectRunning } from '/opt/understudy/dist/cli/local/open.js'
import { realWorld } from '/opt/understudy/dist/world/real.js'
const running = await connectRunning(await realWorld(), '/var/lib/understudy')
${script}"`

interface LaboratoryOptions {
  /** The streams whose credentials are on the card. */
  readonly streams?: readonly string[]
  /** How long their tokens last; a year where nothing is said. */
  readonly expiresInS?: number
  /** The lines of [clock]. Default: the emulator's is trusted */
  readonly clock?: string
  /** More of the config, as TOML. */
  readonly sections?: string
  /** How often each stream speaks. Default: ten times a second */
  readonly periodMs?: number
  /** What the relay proves by that it is the one. */
  readonly tls?: NonNullable<RelayOptions['tls']>
}

/** A relay on this machine whose streams speak all the time, and a new Pi that is told of it. */
export class Laboratory {
  readonly pi: EmulatedPi
  readonly relay: SimulatedRelay
  /** When each message was said, by its number. */
  readonly saidMs: number[] = [0]
  /** A command on the Pi that prints, all the time, the first position that is not on the disk. */
  readonly watcher = asking(`
for (;;) {
  console.log((await running.status()).journal.nextPosition)
  await new Promise((resolve) => setTimeout(resolve, 50))
}`)
  readonly #streams = new Set<string>()
  readonly #speaking: NodeJS.Timeout

  private constructor(pi: EmulatedPi, relay: SimulatedRelay, periodMs: number) {
    this.pi = pi
    this.relay = relay
    this.#speaking = setInterval(() => {
      const number = this.saidMs.push(Date.now()) - 1
      for (const stream of this.#streams) relay.say(stream, message(stream, number).toString())
    }, periodMs)
  }

  static async open(image: string, options: LaboratoryOptions = {}): Promise<Laboratory> {
    const { streams = ['spin30', 'spin31', 'spin32'], expiresInS, clock = 'trust = true', sections = '', tls } = options
    const secret = 'a secret of the suite'
    const relay = new SimulatedRelay(await realWorld(), { secret, name: HOST, ...(tls && { tls }) })
    await relay.start()
    const laboratory = new Laboratory(await EmulatedPi.flash(image), relay, options.periodMs ?? 100)
    const { pi } = laboratory
    const known = `site = "emulated"\ntime_zone = "Etc/UTC"\n[clock]\n${clock}\n[ssh]\nkeys = ["${pi.sshKey}"]\n`
    pi.put({ 'understudy.toml': known + sections })
    for (const stream of streams) pi.put(laboratory.credentials(stream, expiresInS))
    return laboratory
  }

  /** The streams that speak. */
  get streams(): string[] {
    return [...this.#streams]
  }

  /** The two files for a stream, which speaks from now on. */
  credentials(stream: string, expiresInS = 365 * 86_400): Record<string, string> {
    this.#streams.add(stream)
    const { accessFile, tokenFile } = this.relay.credentials(stream, { expiresInS })
    return { [accessFile.name]: accessFile.content, [tokenFile.name]: tokenFile.content }
  }

  /** Resolves when every stream is heard, or these are, and what comes is recorded. */
  async untilRecording(streams: readonly string[] = this.streams): Promise<void> {
    await this.pi.untilReady()
    await until(() => streams.every((stream) => this.relay.connections(stream) > 0))
  }

  /** The position of the first frame of each boot, the earliest first. */
  async beginnings(): Promise<number[]> {
    const list = `
const firsts = new Map()
for await (const frames of running.range({ recorded: true }))
  for (const { boot, position } of frames) if (!firsts.has(boot)) firsts.set(boot, position)
console.log(JSON.stringify([...firsts.values()]))
process.exit()`
    return JSON.parse(await this.pi.told(asking(list)))
  }

  async close(): Promise<void> {
    clearInterval(this.#speaking)
    await this.pi.remove()
    await this.relay.stop()
  }
}
