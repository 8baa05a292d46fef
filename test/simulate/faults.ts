import { flipBit, shorten } from './damage.ts'
import { farFaultKinds } from './far-faults.ts'
import { hour, type Kind, kind, minute, second } from './kind.ts'
import type { Lab } from './lab.ts'

/** Everything that goes wrong in a simulated life. Where two of a kind overlap, the first end ends both. */
export const faultKinds = {
  // The Pi
  'power cut': kind(
    5,
    [second, 10 * minute],
    (lab) => lab.cut(),
    (lab, chance) => lab.boot(chance)
  ),
  'power cut after a commit': kind(
    4,
    [10 * second, 5 * minute],
    (lab, chance, forMs) => lab.cutAfterCommit(chance, forMs),
    (lab) => lab.boot(1)
  ),
  kill: kind(
    3,
    [100, 30 * second],
    (lab) => lab.kill(),
    (lab) => lab.start()
  ),
  stop: kind(
    1,
    [100, 30 * second],
    (lab) => lab.stop(),
    (lab) => lab.start()
  ),
  stall: kind(3, [500, 40 * second], (lab, chance, forMs) => {
    lab.stall(forMs)
    // Much of it before the relay's queue is full, and some after.
    if (chance < 0.7) lab.after(forMs * 0.5, () => lab.flood(chance))
  }),
  flood: kind(1, [1, 2], (lab, chance) => lab.flood(chance)),
  // The relay
  'relay restart': kind(
    2,
    [second, 5 * minute],
    (lab) => lab.stopRelay(),
    (lab) => lab.startRelay()
  ),
  'relay killed': kind(
    1,
    [second, 5 * minute],
    (lab) => lab.killRelay(),
    (lab) => lab.startRelay()
  ),
  'relay off': kind(
    1,
    [second, 5 * minute],
    (lab) => lab.cutRelay(),
    (lab) => lab.startRelay()
  ),
  'relay silent': trap(2, (lab, on) => lab.relay.trap({ silent: on }), 'drop'),
  'bad codes': trap(2, (lab, on) => lab.relay.trap({ badCodes: on }), 'drop'),
  'half-open': kind(3, [1, 2], (lab, chance) => lab.relay.freeze(chance < 0.5 ? undefined : lab.pick(chance))),
  drop: kind(2, [1, 2], (lab, chance) => lab.relay.drop(chance < 0.5 ? undefined : lab.pick(chance))),
  refused: trap(
    1,
    (lab, on) => lab.relay.trap({ refuse: on ? { status: 500, body: '{"code":500}' } : undefined }),
    'drop'
  ),
  portal: trap(1, (lab, on) => lab.relay.trap({ portal: on }), 'drop'),
  'no answer': trap(1, (lab, on) => lab.relay.trap({ noAnswer: on }), 'drop'),
  'slow answer': trap(1, (lab, on) => lab.relay.trap({ delayMs: on ? 12_000 : 0 }), 'drop'),
  joined: trap(1, (lab, on) => lab.relay.trap({ join: on ? 'always' : 'natural' })),
  denied: kind(
    1,
    [10 * second, 10 * minute],
    (lab, chance) => lab.relay.deny(lab.pick(chance)),
    (lab, chance) => lab.relay.allow(lab.pick(chance))
  ),
  'token expires': kind(
    1,
    [2 * minute, 15 * minute],
    (lab, chance, forMs) => lab.issue(lab.pick(chance), forMs / 2000),
    (lab, chance) => lab.issue(lab.pick(chance))
  ),
  'credentials gone': kind(
    1,
    [second, 10 * minute],
    (lab, chance) => lab.withdraw(lab.pick(chance)),
    (lab, chance) => lab.issue(lab.pick(chance))
  ),
  // The network
  partition: kind(
    3,
    [second, 5 * minute],
    (lab) => lab.network.partition(lab.pi, lab.relayMachine),
    (lab) => lab.network.heal(lab.pi, lab.relayMachine)
  ),
  reset: kind(1, [1, 2], (lab) => lab.network.reset(lab.pi, lab.relayMachine)),
  'no name': kind(
    1,
    [10 * second, 5 * minute],
    (lab) => {
      lab.network.fail('relay', 'ENOTFOUND')
      lab.relay.drop()
    },
    (lab) => lab.network.fail('relay', undefined)
  ),
  'slow network': kind(
    1,
    [minute, 10 * minute],
    (lab) => lab.latency(true),
    (lab) => lab.latency(false)
  ),
  // The disk
  'disk full': kind(
    3,
    [second, 10 * minute],
    (lab, chance, forMs) => {
      lab.disk.fill(chance)
      // Somebody pulls the plug of what does not seem to work any more.
      if (chance > 0.7) lab.after(forMs * 0.9, () => lab.kill())
      // Or starts it again, as if that helped.
      else if (chance > 0.4) {
        lab.after(forMs * chance, () => {
          lab.kill()
          lab.start()
        })
      }
    },
    (lab) => {
      lab.disk.free()
      lab.start()
    }
  ),
  'disk read-only': kind(
    2,
    [second, 5 * minute],
    (lab) => lab.disk.setReadOnly(true),
    (lab) => lab.disk.setReadOnly(false)
  ),
  'disk fails to write': kind(
    2,
    [second, 5 * minute],
    (lab, chance) => lab.disk.setFailing(Math.round(chance * 20_000)),
    (lab) => lab.disk.setFailing(undefined)
  ),
  'disk fails to sync': kind(
    2,
    [second, 5 * minute],
    (lab) => lab.disk.setSyncFails(true),
    (lab) => lab.disk.setSyncFails(false)
  ),
  'disk fails to read': kind(
    1,
    [second, 5 * minute],
    (lab) => lab.disk.setUnreadable(true),
    (lab) => lab.disk.setUnreadable(false)
  ),
  'disk stalls': kind(1, [second, 30 * second], (lab, _, forMs) => lab.disk.stall(forMs)),
  'disk slow': kind(
    2,
    [minute, 10 * minute],
    (lab) => lab.disk.setSlow(true),
    (lab) => lab.disk.setSlow(false)
  ),
  // Damage
  'bit flips in a finished store': kind(2, [1, 2], (lab, chance) => flipBit(lab, chance, 'finished')),
  'bit flips in the newest store': kind(1, [1, 2], (lab, chance) => flipBit(lab, chance, 'newest')),
  'finished store shortened': kind(1, [1, 2], (lab, chance) => shorten(lab, chance, 'finished')),
  'newest store shortened': kind(1, [1, 2], (lab, chance) => shorten(lab, chance, 'newest')),
  // The clock
  'clock steps': kind(2, [1, 2], (lab, chance) => lab.stepClock(chance)),
  'clock not synchronised': kind(
    1,
    [minute, hour],
    (lab) => lab.pi.clock.setSynchronised(false),
    (lab) => lab.synchronise()
  )
} satisfies Record<string, Kind>

export type FaultKind = keyof typeof faultKinds | keyof typeof farFaultKinds

export function kindOf(name: FaultKind): Kind {
  return { ...faultKinds, ...farFaultKinds }[name]
}

/** Something of the relay that is switched on and off; with `drop` the connections end, so that new ones meet it. */
function trap(weight: number, set: (lab: Lab, on: boolean) => void, drop?: 'drop'): Kind {
  return kind(
    weight,
    [10 * second, 10 * minute],
    (lab) => {
      set(lab, true)
      if (drop) lab.relay.drop()
    },
    (lab) => set(lab, false)
  )
}
