import type { Experiment } from '../../analytics/experiments.ts'
import type { Ms } from '../../world/time.ts'
import type { Dice } from '../world/dice.ts'
import { achievements, click, commands, feedback, type Message, one, requests, survey } from './messages.ts'

/** A message and how long after the one before it is sent. */
export interface Step {
  readonly afterMs: Ms
  readonly message: Message
}

/** What students of one piece of hardware do, one after the other, without an end. */
export function* students(dice: Dice, hardware: string): Generator<Step, never> {
  for (;;) yield* student(dice, hardware)
}

/** One student's session: start, bursts of commands and what comes between them, end. */
function* student(dice: Dice, hardware: string): Generator<Step> {
  const exp: Experiment = hardware.startsWith('pend') ? 'pendulum' : 'spinner'
  const course = one(dice, exp === 'pendulum' ? ['engdes1', 'engdes1', 'everyone'] : ['cie3', 'engdes1', 'everyone'])
  const who = { user: madeUpUser(dice), exp, course }
  const atPage = { ...who, hardware, ...(dice.chance(0.03) && { oldest: true }) }

  const log = (afterMs: Ms, payload: object): Step => ({ afterMs, message: { ...atPage, type: 'log', payload } })
  const give = (afterMs: Ms, name: string): Step => {
    return { afterMs, message: { ...atPage, type: 'analytics', payload: commands[exp][name]!(dice) } }
  }
  const seconds = (from: number, to: number): Ms => Math.round((from + (to - from) * dice.fraction()) * 1000)

  yield log(seconds(5, 60), { log: 'start', data: {} })
  yield log(seconds(0.1, 1), { log: 'component', data: { name: 'graph', shown: true } })
  for (let burst = dice.int(2, 10); burst > 0; burst -= 1) {
    yield log(seconds(2, 12), click(dice))
    // Most students repeat one command, with other values.
    let name = one(dice, Object.keys(commands[exp]))
    for (let left = dice.int(2, 15); left > 0; left -= 1) {
      if (dice.chance(0.1)) name = one(dice, Object.keys(commands[exp]))
      yield give(seconds(0.3, 6), name)
      if (dice.chance(0.2)) yield log(seconds(0.2, 3), click(dice))
    }
    if (dice.chance(0.15)) yield log(seconds(0.1, 1), achievements(dice))
    if (dice.chance(0.2)) yield* atDashboard(dice, who)
  }
  if (dice.chance(0.3)) yield log(seconds(5, 30), survey(dice))
  yield log(seconds(1, 20), { log: 'end', data: { type: one(dice, ['session-exp', 'close', 'refresh']) } })
}

/** The dashboard spaces its messages by 100 ms. */
function* atDashboard(dice: Dice, who: Pick<Message, 'user' | 'exp' | 'course'>): Generator<Step> {
  const payload = { log: 'analytics-interaction', data: { open: true } }
  yield { afterMs: dice.int(1000, 8000), message: { ...who, type: 'log', payload } }
  for (const request of requests(who.exp, who.course)) {
    yield { afterMs: 100, message: { ...who, type: 'request', payload: request } }
  }
  if (dice.chance(0.3)) {
    const task = one(dice, ['1-2', '3', '4'])
    const asked = { content: 'task_feedback', task: `${who.exp}-${who.course}-${task}` }
    yield { afterMs: dice.int(2000, 9000), message: { ...who, type: 'request', payload: asked } }
  }
  if (dice.chance(0.5)) {
    yield { afterMs: dice.int(2000, 9000), message: { ...who, type: 'feedback', payload: feedback(dice) } }
  }
}

/** A UUID that is nobody's. */
function madeUpUser(dice: Dice): string {
  const hex = dice.bytes(16).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join('-')
}
