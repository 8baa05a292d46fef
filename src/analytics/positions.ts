import type { Experiment } from './experiments.ts'

export interface Position {
  readonly x: number
  readonly y: number
}

/** sin 60° */
const s = Math.sqrt(3) / 2
const h = 200 * s

/** Where the primary thinks of the nodes, for centroids: y rises upwards. In the order in which it lists them. */
export const vertices: Readonly<Record<Experiment, Readonly<Record<string, Position>>>> = {
  spinner: {
    voltage_step: { x: 0.5, y: s },
    voltage_ramp: { x: -0.5, y: s },
    position_step: { x: 1, y: 0 },
    position_ramp: { x: -1, y: 0 },
    speed_step: { x: 0.5, y: -s },
    speed_ramp: { x: -0.5, y: -s }
  },
  pendulum: {
    start: { x: 0, y: 1 },
    brake: { x: 0.64, y: 0.77 },
    free: { x: 0.98, y: 0.17 },
    load: { x: 0.87, y: -0.5 },
    sampling: { x: 0.34, y: -0.94 },
    drive_perc: { x: -0.34, y: -0.94 },
    brake_perc: { x: -0.87, y: -0.5 },
    measuring_tools: { x: -0.98, y: 0.17 },
    record: { x: -0.64, y: 0.77 }
  }
}

/** Where the dashboard puts them, in pixels about the middle of a picture: y falls downwards, as on every screen. */
export const screenPositions: Readonly<Record<Experiment, Readonly<Record<string, Position>>>> = {
  spinner: {
    voltage_step: { x: 100, y: -h },
    voltage_ramp: { x: -100, y: -h },
    position_step: { x: 200, y: 0 },
    position_ramp: { x: -200, y: 0 },
    speed_step: { x: 100, y: h },
    speed_ramp: { x: -100, y: h }
  },
  pendulum: {
    start: { x: 0, y: 200 },
    brake: { x: 128, y: 154 },
    free: { x: 196, y: 34 },
    load: { x: 174, y: -100 },
    sampling: { x: 68, y: -188 },
    drive_perc: { x: -68, y: -188 },
    brake_perc: { x: -174, y: -100 },
    measuring_tools: { x: -196, y: 34 },
    // on the other side than among the vertices: so it is there
    record: { x: -128, y: -154 }
  }
}
