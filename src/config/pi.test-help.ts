import { dirname } from 'node:path'
import { Simulation } from '../sim/world/simulation.ts'

/** A simulated machine whose files a test puts there. */
export class Pi {
  readonly simulation = new Simulation(1)
  readonly machine = this.simulation.machine('pi')
  readonly world = this.machine.world

  async put(path: string, content: string | Uint8Array): Promise<void> {
    await this.simulation.complete(this.world.files.makeDirectory(dirname(path)))
    await this.simulation.complete(this.world.files.writeFile(path, content))
  }

  async remove(path: string): Promise<void> {
    await this.simulation.complete(this.world.files.remove(path))
  }
}
