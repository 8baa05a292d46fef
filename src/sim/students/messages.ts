import { type Experiment, states, subjects } from '../../analytics/experiments.ts'
import type { Ms } from '../../world/time.ts'
import type { Dice } from '../world/dice.ts'

/** A message as a lab page or the dashboard makes it, without its time. */
export interface Message {
  readonly user: string
  readonly exp: Experiment
  /** The dashboard does not say it. */
  readonly hardware?: string
  readonly course: string
  readonly type: 'analytics' | 'log' | 'request' | 'feedback'
  readonly payload: object
  /** The pages of 2022: only user, t and payload are sent. */
  readonly oldest?: boolean
}

/** As it is sent. `tMs` is the browser's time. */
export function encode(message: Message, tMs: Ms): string {
  const { user, exp, hardware, course, type, payload } = message
  const t = Math.round(tMs)
  return JSON.stringify(message.oldest ? { user, t, payload } : { user, t, exp, hardware, course, type, payload })
}

/** What a payload of `analytics` asks the hardware to do. */
export interface Command {
  readonly log: string
  readonly data?: { readonly set: number; readonly kp?: number; readonly ki?: number; readonly kd?: number }
}

/** How each command of an experiment is given. */
export const commands: Record<Experiment, Record<string, (dice: Dice) => Command>> = {
  spinner: Object.fromEntries([
    ...['voltage', 'voltage_ramp'].map((log) => [log, (dice: Dice) => ({ log, data: { set: hundredths(dice, 6) } })]),
    ...['speed', 'speed_ramp', 'position', 'position_ramp'].map((log) => [
      log,
      (dice: Dice) => ({ log, data: { set: dice.int(-100, 100), kp: hundredths(dice, 3), ki: dice.int(0, 9), kd: 0 } })
    ])
  ]),
  pendulum: Object.fromEntries([
    ...['drive_perc', 'brake_perc', 'sampling'].map((log) => [
      log,
      (dice: Dice) => ({ log, data: { set: hundredths(dice, 100) } })
    ]),
    ...['start', 'brake', 'free', 'load', 'measuring_tools', 'record'].map((log) => [log, () => ({ log })])
  ])
}

/** A click somewhere on the page. */
export function click(dice: Dice): object {
  const target = one(dice, ['plot-button', 'command-set', 'mode-select', 'download-csv', 'fullscreen', 'workbook-next'])
  const data = {
    target,
    tag: 'BUTTON',
    class: 'btn btn-default btn-sm mr-2 mb-1',
    x: dice.int(0, 1920),
    y: dice.int(0, 1080)
  }
  return { log: 'click', data }
}

/** What the page shows as achieved so far, about 2 kB. */
export function achievements(dice: Dice): object {
  const names = [
    'Plot a step response',
    'Reach a steady state',
    'Change three parameters',
    'Download a data set',
    'Open the workbook',
    'Measure a time constant',
    'Find the dead band',
    'Tune a controller',
    'Compare two runs',
    'Record a video',
    'Take a snapshot',
    'Finish a task',
    'Set a new record',
    'Return another day'
  ]
  const data = names.map((name, i) => {
    const fraction = hundredths(dice, 1)
    return {
      id: i + 1,
      name,
      description: `${name} on this hardware`,
      fraction,
      completed: fraction > 0.8,
      verified: false
    }
  })
  return { log: 'achievements', data }
}

export function survey(dice: Dice): object {
  return { log: 'survey', data: { question: one(dice, ['enjoyed', 'learned', 'again']), answer: dice.int(1, 5) } }
}

/** The five requests of a dashboard, in the order it makes them. */
export function requests(exp: Experiment, course: string): object[] {
  const graph = `${exp}-${course}-all`
  return [
    { content: 'student_graph' },
    { content: 'comparison_graph', graph },
    { content: 'task_identification' },
    { content: 'indicators' },
    { content: 'centroids' }
  ]
}

export function feedback(dice: Dice): object {
  const state = one(dice, states)
  const subject = one(dice, subjects)
  return dice.chance(0.2) ? { state, subject, input: 'made up, and not much of it' } : { state, subject }
}

/** One of these, each as likely. */
export function one<T>(dice: Dice, choices: readonly T[]): T {
  return choices[dice.int(0, choices.length - 1)]!
}

function hundredths(dice: Dice, within: number): number {
  return dice.int(0, within * 100) / 100
}
