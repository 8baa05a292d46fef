import { SimulatedRelay } from '../sim/relay/relay.ts'
import { Crowd } from '../sim/students/crowd.ts'
import { spinners } from '../sim/students/generate.ts'
import type { World } from '../world/world.ts'

/** A simulated relay on this machine, with simulated students on its streams. */
export class SimulatedLab {
  readonly streams: readonly string[]
  private readonly relay: SimulatedRelay
  private readonly crowd: Crowd

  /** @param rateHz messages a second on each stream; without it they come at a person's pace */
  constructor(world: World, options: { readonly streams: number; readonly rateHz?: number }) {
    const { streams: count, ...rate } = options
    this.streams = spinners(count)
    this.relay = new SimulatedRelay(world, { secret: world.random.bytes(16).toString('hex') })
    this.crowd = new Crowd(world, this.relay, {
      streams: this.streams,
      seed: world.random.bytes(4).readUInt32LE(0),
      ...rate
    })
  }

  /** Starts the relay and writes the files an operator would hold into a folder. */
  async open({ files }: World, credentialsDirectory: string): Promise<void> {
    await this.relay.start()
    await files.makeDirectory(credentialsDirectory, 0o700)
    for (const stream of this.streams) {
      const { accessFile, tokenFile } = this.relay.credentials(stream)
      for (const { name, content } of [accessFile, tokenFile]) {
        await files.writeFile(`${credentialsDirectory}/${name}`, content, 0o600)
      }
    }
  }

  /** Lets the students in. */
  begin(): Promise<void> {
    return this.crowd.start()
  }

  /** The students leave; the relay goes on. */
  leave(): void {
    this.crowd.stop()
  }

  close(): Promise<void> {
    return this.relay.stop()
  }

  /** Messages that have reached the relay, over all streams. */
  received(): number {
    return this.streams.reduce((sum, stream) => sum + this.relay.counts(stream).received, 0)
  }
}
