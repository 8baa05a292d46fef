/** The nodes of an experiment's graphs, in the order of a matrix's rows and columns. */
export const nodesOf = {
  spinner: ['voltage_step', 'voltage_ramp', 'position_step', 'position_ramp', 'speed_step', 'speed_ramp'],
  pendulum: ['start', 'brake', 'load', 'free', 'sampling', 'drive_perc', 'brake_perc', 'measuring_tools', 'record']
} as const satisfies Record<string, readonly string[]>

export type Experiment = keyof typeof nodesOf

export function isExperiment(name: string): name is Experiment {
  return Object.hasOwn(nodesOf, name)
}

/** The nodes whose command has another name. */
const commandOf: Readonly<Record<string, string>> = {
  voltage_step: 'voltage',
  position_step: 'position',
  speed_step: 'speed'
}

const indexesOf = {
  spinner: indexes(nodesOf.spinner),
  pendulum: indexes(nodesOf.pendulum)
} satisfies Record<Experiment, unknown>

/** The place among an experiment's nodes of what `payload.log` says; -1 when it is none of its commands. */
export function nodeIndex(exp: Experiment, log: string): number {
  return indexesOf[exp].get(log) ?? -1
}

function indexes(nodes: readonly string[]): ReadonlyMap<string, number> {
  return new Map(nodes.map((node, index) => [commandOf[node] ?? node, index]))
}

/** What students say of themselves in feedback: the rows of a feedback table. */
export const states = [
  'Engaged',
  'Curious',
  'Delighted',
  'Bored',
  'Confused',
  'Frustrated',
  'Surprised',
  'Anxious'
] as const

/** What all feedback may be about. */
export const subjects = ['Workbook', 'Remote work', 'Hardware', 'UI', 'LA', 'Other']

/** What feedback may be about: the columns of a feedback table, of which the last are the course's tasks. */
export function subjectsOf(exp: Experiment, course: string): readonly string[] {
  if (course === 'cie3') return [...subjects, 'spinner-cie3-1-2', 'spinner-cie3-3', 'spinner-cie3-4']
  if (course === 'engdes1') {
    return [...subjects, `${exp}-engdes1-1-core`, `${exp}-engdes1-1-ext`, `${exp}-engdes1-2`]
  }
  return subjects
}
