import { Appliance } from '../../src/cli/appliance.ts'
import type { Config } from '../../src/config/config.ts'
import { validate } from '../../src/config/validate.ts'
import type { Log } from '../../src/log.ts'
import { SimulatedRelay } from '../../src/sim/relay/relay.ts'
import { Simulation } from '../../src/sim/world/simulation.ts'
import type { World } from '../../src/world/world.ts'
import { installGraphs } from '../support/graphs.ts'
import type { Scene } from './scene.ts'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }
const CREDENTIALS = '/credentials'

/** A scene in a simulated world: what is done in it is to be passed to `simulation.complete`. */
export class SimulatedScene implements Scene {
  readonly simulation: Simulation
  readonly relay: SimulatedRelay
  readonly world: World
  readonly appliances: Appliance[] = []

  constructor(seed: number) {
    this.simulation = new Simulation(seed)
    this.world = this.simulation.machine('lab').world
    const { world } = this.simulation.machine('relay')
    this.relay = new SimulatedRelay(world, { secret: 'a secret', host: 'relay', accessPort: 3000, relayPort: 3001 })
  }

  async startPi(streams: readonly string[], mode: 'observe' | 'answer' | 'always'): Promise<void> {
    const { world } = this.simulation.machine(`pi${this.appliances.length}`)
    await installGraphs(world.files)
    await world.files.makeDirectory(CREDENTIALS)
    for (const stream of streams) {
      const { accessFile, tokenFile } = this.relay.credentials(stream)
      for (const { name, content } of [accessFile, tokenFile]) {
        await world.files.writeFile(`${CREDENTIALS}/${name}`, content)
      }
    }
    const options = { config: configOf(mode), user: { env: {}, uid: 1000 }, reserveBytes: 0 }
    const appliance = await Appliance.start(world, options, silent)
    this.appliances.push(appliance)
    const areHeard = (): boolean => appliance.recording().streams.filter(({ heard }) => heard).length === streams.length
    while (!areHeard()) await new Promise<void>((resolve) => world.timers.after(100, resolve))
  }
}

function configOf(mode: string): Config {
  const made = validate({
    streams: { credentials: CREDENTIALS },
    data: { directory: '/data' },
    standby: { mode },
    capture: []
  })
  if (!('config' in made)) throw new Error('the config is wrong')
  return made.config
}
