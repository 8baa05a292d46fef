import { onTestFinished } from 'vitest'
import { credentialsOf } from '../../src/sim/relay/join.ts'
import { RealRelay, realRelayBinary } from '../real-relay.ts'
import { Recorder } from '../relay/rig/recorder.ts'
import { world } from '../relay/rig/relays.ts'
import type { Scene } from './scene.ts'
import { SimulatedScene } from './simulated.ts'

/** How what happens in a scene is lived through. */
export interface Scenes {
  inScene(play: (scene: Scene) => Promise<void>): Promise<void>
}

let seed = 0

/** In simulated time. */
function simulated(): Scenes {
  return {
    async inScene(play) {
      const scene = new SimulatedScene(++seed)
      const live = async (): Promise<void> => {
        await scene.relay.start()
        await play(scene)
        for (const appliance of scene.appliances) await appliance.stop()
      }
      await scene.simulation.complete(live(), 3_600_000)
    }
  }
}

/** Around the real relay, with the program as it is called. */
function real(binary: string): Scenes {
  return {
    async inScene(play) {
      const relay = new RealRelay(world, binary)
      onTestFinished(() => relay.stop())
      await relay.start()
      await play({
        world,
        relay,
        async startPi(streams, mode) {
          const recorder = await Recorder.prepare(`[standby]\nmode = "${mode}"\n`)
          for (const stream of streams) await recorder.issue(credentialsOf(world, relay, stream))
          recorder.start()
          await recorder.untilHeard(streams)
        }
      })
    }
  }
}

export const simulatedRelay = 'the simulated relay'

/** Each kind of relay there is, by its name. */
export const relays: ReadonlyArray<readonly [string, () => Scenes]> = [
  [simulatedRelay, simulated],
  ...(realRelayBinary === undefined ? [] : [['the real relay', () => real(realRelayBinary!)] as const])
]
