import type { RelayPeer } from '../../../src/sim/relay/peer.ts'
import { SimulatedRelay } from '../../../src/sim/relay/relay.ts'
import { realWorld } from '../../../src/world/real.ts'
import { RealRelay, realRelayBinary } from '../../real-relay.ts'

export const world = await realWorld()

/** A relay that the suite's cases are run against. */
export interface Relay extends RelayPeer {
  /** Its connections are half-open from now on: they stay, and nothing is read or answered, until `thaw`. */
  freeze(): void
  thaw(): void
}

class Simulated extends SimulatedRelay implements Relay {
  /** What was frozen cannot come back, so it is dropped. */
  thaw(): void {
    this.drop()
  }
}

const binary = realRelayBinary

/** Each kind of relay there is, by its name. */
export const relays: ReadonlyArray<readonly [string, () => Relay]> = [
  ['the simulated relay', () => new Simulated(world, { secret: 'a secret of the suites' })],
  ...(binary === undefined ? [] : [['the real relay', () => new RealRelay(world, binary)] as const])
]
