import type { Stamp } from '../journal/entry.ts'
import type { Clock } from '../world/time.ts'

/** The machine's clock, but for wall time: that is the one that entries of the journal go by, which may know better. */
export function recordClock(clock: Clock, stamp: () => Stamp): Clock {
  return {
    boot: clock.boot,
    wallUs: () => stamp().wallUs,
    monoUs: () => clock.monoUs(),
    synchronised: () => clock.synchronised()
  }
}
