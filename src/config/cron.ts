import { Cron } from 'croner'

export const cronForm = 'a cron expression of five fields, like "0 0 * * *"'

/** Whether this is a schedule: five fields of cron, which come up at some time. */
export function isCron(expression: string): boolean {
  if (expression.trim().split(/\s+/).length !== 5) return false
  try {
    return cronOnWall(expression).nextRun(new Date(0)) !== null
  } catch {
    return false
  }
}

/** The times of an expression on the wall's clock, given and asked for as if they were UTC. */
export function cronOnWall(expression: string): Cron {
  // By an offset croner counts itself; a zone's name, also UTC's, it looks up anew for every step, five times as slow.
  return new Cron(expression, { utcOffset: 0, mode: '5-part' })
}
