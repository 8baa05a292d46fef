import { live, type Outcome } from './life.ts'
import { drawPlan } from './plan.ts'
import { liveStandIn } from './stand-in-life.ts'

/** So many seeds have one life at the dashboards as well. */
const STAND_IN_EVERY = 50

/** Lives what a seed decides. A promise that is broken at the dashboards is told with the log of that life. */
export async function liveSeed(seed: number, days: number): Promise<Outcome> {
  const outcome = await live(drawPlan(seed, days))
  if (outcome.broken !== undefined || seed % STAND_IN_EVERY !== 0) return outcome
  return { ...outcome, ...(await liveStandIn(seed, outcome.log)) }
}
