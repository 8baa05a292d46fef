import type { Plan } from './plan.ts'

/**
 * Leaves out faults as long as what is left still breaks a promise: first halves, then smaller parts, then single ones.
 * @param breaks whether a promise is broken in the life of a plan
 * @param tries so many lives at most
 */
export async function shrink(plan: Plan, breaks: (plan: Plan) => Promise<boolean>, tries = 200): Promise<Plan> {
  let smallest = plan
  let left = tries
  for (let size = Math.ceil(plan.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.faults.length && left > 0; ) {
      const faults = smallest.faults.filter((_, index) => index < at || index >= at + size)
      left--
      if (await breaks({ ...smallest, faults })) smallest = { ...smallest, faults }
      else at += size
    }
  }
  return smallest
}
