import type { Matrix } from '../count.ts'
import { isExperiment, nodesOf } from '../experiments.ts'
import { centroid } from '../measures/centroid.ts'
import { edges } from '../measures/edges.ts'
import { enjoyment } from '../measures/enjoyment.ts'
import { exploration } from '../measures/exploration.ts'
import { taskDistance } from '../measures/task-distance.ts'
import { taskFeedback } from '../measures/task-feedback.ts'
import type { Model, Models } from '../models.ts'
import { vertices } from '../positions.ts'
import { picture } from './picture.ts'
import type { Request, Wanted } from './requests.ts'

/** What is known of a student; without any of it, nothing was done yet. */
export interface StudentState {
  readonly matrix: Matrix
  readonly feedback: Matrix
}

export interface ReplyOptions {
  /** Exploration as it was meant, instead of as the primary answers it. */
  readonly corrected?: boolean
}

/**
 * One reply as the primary would send it, to be made JSON of. Where the primary writes NaN or fails, it says what the
 * dashboard can read: a task distance is left out, a number or a place that there is not is `null`.
 * @returns `undefined` where nothing can be said that would not blank a picture: the graph of an unknown experiment, or
 *   one with an unknown name
 */
export function reply(
  request: Request,
  wanted: Wanted,
  student: StudentState | undefined,
  models: Models,
  options: ReplyOptions = {}
): object | undefined {
  const { user, exp, course } = request
  const said = say(request, wanted, student, models, options)
  if (said === undefined) return undefined
  const { content } = wanted
  // the primary names no course there
  const of = content === 'comparison_graph' ? { exp } : { exp, course }
  return { user, type: 'response', ...of, content, ...said }
}

type Pair = [number, number] | [null, null]

function say(
  { exp, course }: Request,
  { content, graph, task }: Wanted,
  student: StudentState | undefined,
  models: Models,
  { corrected }: ReplyOptions
): object | undefined {
  const matrix = student?.matrix ?? untouched(exp)
  switch (content) {
    case 'student_graph':
      return isExperiment(exp) ? picture(exp, matrix) : undefined
    case 'comparison_graph': {
      const model = modelOf(exp, graph, models)
      return model && picture(model.exp, model.matrix)
    }
    case 'task_identification':
      return { tasks: taskDistances(matrix, models.of(exp, course)) }
    case 'indicators': {
      const all = models.all(exp, course)?.matrix
      const explored = exploration(matrix, all, corrected) ?? null
      return {
        indicators: { exploration: explored, enjoyment: enjoyment(student?.feedback ?? []), edges: edges(matrix, all) }
      }
    }
    case 'centroids':
      return { centroids: centroidsOf(exp, course, matrix, models) }
    case 'task_feedback': {
      const model = modelOf(exp, task, models)
      return model && { feedback: taskFeedback(model.exp, matrix, model.matrix) }
    }
  }
}

/** Of a student who has done nothing yet. */
function untouched(exp: string): Matrix {
  const nodes = isExperiment(exp) ? nodesOf[exp] : []
  return nodes.map(() => nodes.map(() => 0))
}

function modelOf(exp: string, name: string | undefined, models: Models): Model | undefined {
  const model = name === undefined ? undefined : models.get(name)
  return model?.exp === exp ? model : undefined
}

function taskDistances(matrix: Matrix, tasks: readonly Model[]): Record<string, number> {
  const distances = tasks.map((task) => [task.name, taskDistance(matrix, task.matrix)] as const)
  return Object.fromEntries(distances.filter((entry): entry is [string, number] => entry[1] !== undefined))
}

/** What the primary calls the tasks whose middles it gives, and how the graphs are named. */
const markedTasks = new Map<string, ReadonlyArray<readonly [key: string, task: string]>>([
  [
    'cie3',
    [
      ['task1', '1-2'],
      ['task3', '3'],
      ['task4', '4']
    ]
  ],
  [
    'engdes1',
    [
      ['task1core', '1-core'],
      ['task1ext', '1-ext'],
      ['task2', '2']
    ]
  ]
])

function centroidsOf(exp: string, course: string, matrix: Matrix, models: Models): object {
  const middle = (of: Matrix | undefined): Pair => (isExperiment(exp) && of && centroid(exp, of)) || [null, null]
  const tasks = markedTasks.get(course) ?? []
  const places = isExperiment(exp) ? Object.entries(vertices[exp]) : []
  return {
    student: middle(matrix),
    ...Object.fromEntries(tasks.map(([key, task]) => [key, middle(models.get(`${exp}-${course}-${task}`)?.matrix)])),
    all: middle(models.all(exp, course)?.matrix),
    vertices: places.map(([name, { x, y }]) => ({ name, x, y }))
  }
}
