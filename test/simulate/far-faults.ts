import type { Far } from './far.ts'
import { type Kind, kind, minute, second } from './kind.ts'
import type { Lab } from './lab.ts'

/** What goes wrong on the way to the primary and there, in lives in which sealed folders are handed over. */
export const farFaultKinds = {
  'transfer cut': far(3, [1, 2], (primary, chance) => primary.cut(chance)),
  'primary full': far(
    2,
    [minute, 20 * minute],
    (primary, chance) => primary.fill(chance),
    (primary) => primary.free()
  ),
  'primary off': far(
    2,
    [10 * second, 20 * minute],
    ({ primary }) => {
      primary.reachable = false
    },
    ({ primary }) => {
      primary.reachable = true
    }
  ),
  'file damaged on the primary': far(2, [1, 2], (primary, chance) => primary.damage(chance)),
  'another host key': far(
    1,
    [minute, 20 * minute],
    (primary, chance) => primary.changeHostKey(chance),
    (primary, chance) => primary.settleHostKey(chance)
  ),
  'receipts late': far(
    2,
    [minute, 40 * minute],
    ({ primary }) => {
      primary.answers = false
    },
    ({ primary }) => {
      primary.answers = true
    }
  ),
  'sync by hand': kind(1, [1, 2], (lab, chance) => lab.syncByHand(chance < 0.3)),
  'killed while it seals': kind(
    3,
    [10 * minute, 30 * minute],
    (lab, chance) => lab.atSealing(() => (chance < 0.5 ? lab.kill() : lab.cut()), chance),
    (lab) => {
      if (!lab.pi.on) lab.boot(1)
      lab.start()
    }
  )
} satisfies Record<string, Kind>

function far(
  weight: number,
  lasts: Kind['lasts'],
  begin: (primary: Far, chance: number) => void,
  end: (primary: Far, chance: number) => void = () => {}
): Kind {
  const of = (act: typeof begin) => (lab: Lab, chance: number) => {
    if (lab.far) act(lab.far, chance)
  }
  return kind(weight, lasts, of(begin), of(end))
}
