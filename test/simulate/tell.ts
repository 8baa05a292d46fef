import type { Ms } from '../../src/world/time.ts'
import type { Summary } from './many.ts'
import type { Plan } from './plan.ts'
import { DAY_MS } from './plan.ts'

/** A life that went wrong, for people: how to live it again, what it was like, what broke, what happened last. */
export function tell(plan: Plan, broken: string, log: readonly string[]): string {
  const { seed, lifeMs, faults, ...settings } = plan
  const steps = faults.map(({ kind, atMs, forMs, chance }) => {
    return `  ${(atMs / 1000).toFixed(3).padStart(12)} s  ${kind}, for ${forMs / 1000} s (${chance.toFixed(4)})`
  })
  return [
    `seed ${seed}: ${broken}`,
    `again: npm run simulate -- --seed ${seed} --days ${lifeMs / DAY_MS}`,
    Object.entries(settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    `what it takes to break it (${faults.length} faults):`,
    ...steps,
    'the end of its log:',
    ...log.slice(-25).map((line) => `  ${line}`)
  ].join('\n')
}

/** What many lives came to, in one line. */
export function tellAll(summary: Summary, days: number, tookMs: Ms): string {
  const { lives, messages, entries, faults, recoveries, slowestRecoveryMs, broken } = summary
  return [
    `${lives} lives of ${days > 1 ? `${days} days` : `${+(days * 24).toFixed(3)} hours`}`,
    `${messages} messages`,
    `${entries} entries`,
    `${faults} faults`,
    `recording again after ${recoveries} of the disk's within ${slowestRecoveryMs.toFixed(0)} simulated ms`,
    `in ${(tookMs / 1000).toFixed(0)} s: ${broken.length} broken`
  ].join(', ')
}
