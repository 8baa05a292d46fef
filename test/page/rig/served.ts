import { onTestFinished } from 'vitest'
import { SimulatedRelay } from '../../../src/sim/relay/relay.ts'
import { Recorder } from '../../relay/rig/recorder.ts'
import { world } from '../../relay/rig/relays.ts'
import { Speaker } from '../../relay/rig/speaker.ts'
import { freePort } from '../../support/free-port.ts'

/** `understudy run` that hears streams of a relay and serves its page, with somebody who speaks on each. Gone after the test. */
export class Served {
  readonly recorder: Recorder
  readonly speakers: ReadonlyMap<string, Speaker>
  readonly port: number

  private constructor(recorder: Recorder, speakers: ReadonlyMap<string, Speaker>, port: number) {
    this.recorder = recorder
    this.speakers = speakers
    this.port = port
  }

  /** @param status more of that section of the config, as TOML */
  static async start(streams: readonly string[], status = ''): Promise<Served> {
    const relay = new SimulatedRelay(world, { secret: 'a secret of the suite' })
    await relay.start()
    onTestFinished(() => relay.stop())
    const port = await freePort()
    const recorder = await Recorder.prepare(`[status]\nport = ${port}\n${status}\n[clock]\ntrust = true\n`)
    for (const stream of streams) await recorder.issue(relay.credentials(stream))
    recorder.start()
    await recorder.untilHeard(streams)
    await recorder.untilLogged({ msg: 'the status page is served' })
    const joined = streams.map(async (stream) => [stream, await Speaker.join(relay, stream)] as const)
    return new Served(recorder, new Map(await Promise.all(joined)), port)
  }

  /** Ends it as systemd does, and starts it anew once `meanwhile` is over. */
  async restart(meanwhile: () => Promise<void>): Promise<void> {
    await this.recorder.stop()
    await meanwhile()
    this.recorder.start()
    await this.recorder.untilHeard([...this.speakers.keys()], 2)
    await this.recorder.untilLogged({ msg: 'the status page is served' }, 2)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }
}
