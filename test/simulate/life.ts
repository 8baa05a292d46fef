import type { Ms } from '../../src/world/time.ts'
import { checkEnd, checkLive } from './check.ts'
import { checkHandedOver } from './check-handed-over.ts'
import { kindOf } from './faults.ts'
import { Lab } from './lab.ts'
import { Broken } from './model.ts'
import { CALM_MS, type Fault, type Plan } from './plan.ts'

/** How a life went. */
export interface Outcome {
  readonly plan: Plan
  /** What promise was broken; absent when all were kept. */
  readonly broken?: string
  /** SHA-256 of the log. */
  readonly digest: string
  readonly log: readonly string[]
  readonly messages: number
  readonly entries: number
  /** See the model's. */
  readonly recoveriesMs: readonly Ms[]
}

/** Lives one life to its end, or until a promise is broken. */
export async function live(plan: Plan): Promise<Outcome> {
  const lab = new Lab(plan)
  const { model, simulation } = lab
  const crashed = (error: unknown): void => {
    if (error instanceof Broken) return
    model.broke(`the appliance would crash: ${error instanceof Error ? error.stack : error}`)
  }
  process.on('unhandledRejection', crashed)
  try {
    await lab.begin()
    for (const fault of plan.faults) schedule(lab, fault)
    await pass(lab, plan.lifeMs - CALM_MS)
    if (!model.broken) {
      lab.heal()
      model.disturbedUs = simulation.nowUs
      await pass(lab, CALM_MS - 60_000)
    }
    if (!model.broken) await checkLive(lab)
    if (!model.broken) await checkHandedOver(lab)
    if (!model.broken) await checkEnd(lab)
  } catch (error) {
    crashed(error)
  } finally {
    process.off('unhandledRejection', crashed)
  }
  const messages = [...model.sent.values()].reduce((sum, sent) => sum + sent.length, 0)
  return {
    plan,
    ...(model.broken !== undefined && { broken: model.broken }),
    digest: lab.digest(),
    log: lab.log,
    messages,
    entries: model.seen.size,
    recoveriesMs: model.recoveriesMs
  }
}

function schedule(lab: Lab, { kind, atMs, forMs, chance }: Fault): void {
  const { begin, end } = kindOf(kind)
  const sinceMs = lab.nowUs / 1000
  lab.after(atMs - sinceMs, () => {
    lab.note(`+ ${kind}`)
    lab.model.disturbedUs = lab.nowUs
    begin(lab, chance, forMs)
  })
  lab.after(atMs + forMs - sinceMs, () => {
    lab.note(`- ${kind}`)
    lab.model.disturbedUs = lab.nowUs
    end?.(lab, chance)
  })
}

/** Lets time pass as long as nothing is broken. */
async function pass(lab: Lab, ms: number): Promise<void> {
  const { simulation, model } = lab
  const endUs = simulation.nowUs + ms * 1000
  while (simulation.nowUs < endUs && !model.broken) {
    await simulation.run(Math.min(60_000, (endUs - simulation.nowUs) / 1000))
    lab.look()
  }
}
