import type { Ms } from '../../src/world/time.ts'
import type { Lab } from './lab.ts'

/** How a kind of fault begins and ends. `chance`: see `Fault`. */
export interface Kind {
  /** How often it is drawn, beside the others. */
  readonly weight: number
  /** Its shortest and its longest time. */
  readonly lasts: readonly [Ms, Ms]
  begin(lab: Lab, chance: number, forMs: Ms): void
  end?(lab: Lab, chance: number): void
}

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute

export function kind(
  weight: number,
  lasts: readonly [Ms, Ms],
  begin: Kind['begin'],
  end: Kind['end'] = () => {}
): Kind {
  return { weight, lasts, begin, end }
}
