import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readText, whyUnreadable } from '../config/text-file.ts'
import type { ErrorCode } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Files } from '../world/files.ts'
import type { Matrix } from './count.ts'
import { readTableCsv } from './count-csv.ts'
import { type Experiment, isExperiment, nodesOf } from './experiments.ts'

/** A comparison graph: how often the commands of a task follow each other when somebody does it well. */
export interface Model {
  /** `exp-course-task` */
  readonly name: string
  readonly exp: Experiment
  readonly course: string
  readonly task: string
  readonly matrix: Matrix
}

/** Why a file, or the folder, serves for nothing. */
export interface ModelProblem {
  readonly file: string
  readonly code: ErrorCode
  readonly detail: string
}

/** The comparison graphs that the program comes with: of the checkout, and of where it is installed. */
export const shippedGraphs = fileURLToPath(new URL('../../comparison_graphs', import.meta.url))

const mostBytes = 100_000
const mostFiles = 1000

/** The comparison graphs there are. */
export class Models {
  /** Of files that are refused; the others serve. */
  readonly problems: readonly ModelProblem[]
  private readonly byName: ReadonlyMap<string, Model>

  constructor(models: readonly Model[], problems: readonly ModelProblem[] = []) {
    this.byName = new Map(models.map((model) => [model.name, model]))
    this.problems = problems
  }

  get(name: string): Model | undefined {
    return this.byName.get(name)
  }

  /** Those that are named `exp-course-*`. */
  of(exp: string, course: string): Model[] {
    return [...this.byName.values()].filter(({ name }) => name.startsWith(`${exp}-${course}-`))
  }

  /** The one of a whole course: what students can explore in it. */
  all(exp: string, course: string): Model | undefined {
    return this.get(`${exp}-${course}-all`)
  }

  list(): Model[] {
    return [...this.byName.values()]
  }
}

/**
 * Reads each `exp-course-task.csv` of a folder. What cannot be used is refused by name, and logged; it never fails.
 * @param directory default: the graphs that the program comes with
 */
export async function loadModels(files: Files, directory = shippedGraphs, log?: Log): Promise<Models> {
  const read = await readFolder(files, directory)
  const models = read.filter((one) => 'matrix' in one)
  const problems = read.filter((one) => 'code' in one)
  for (const { code, file, detail } of problems) log?.warn({ code, file, detail }, 'a comparison graph is not used')
  return new Models(models, problems)
}

async function readFolder(files: Files, directory: string): Promise<Array<Model | ModelProblem>> {
  try {
    const entries = await files.list(directory)
    const names = entries.flatMap(({ name }) => (name.endsWith('.csv') && !name.startsWith('.') ? [name] : [])).sort()
    if (names.length > mostFiles) throw new RangeError(`it holds more than ${mostFiles} graphs`)
    return await Promise.all(names.map((name) => readModel(files, directory, name)))
  } catch (error) {
    return [{ file: directory, code: 'UNDERSTUDY_GRAPHS_UNREADABLE', detail: whyUnreadable(error) }]
  }
}

async function readModel(files: Files, directory: string, file: string): Promise<Model | ModelProblem> {
  try {
    return parseModel(file.slice(0, -'.csv'.length), await readText(files, join(directory, file), mostBytes))
  } catch (error) {
    return { file, code: 'UNDERSTUDY_GRAPH_INVALID', detail: whyUnreadable(error) }
  }
}

/**
 * A comparison graph from its file.
 * @throws RangeError with what is wrong, in words that are safe to show
 */
function parseModel(name: string, text: string): Model {
  const { exp, course, task } = parseModelName(name)
  const nodes = nodesOf[exp]
  const matrix = readTableCsv(text, nodes, nodes)
  if (matrix === undefined) throw new RangeError(`it is no table of whole numbers between the commands of ${exp}`)
  if (!matrix.flat().some((weight) => weight > 0)) throw new RangeError('it has no edges')
  return { name, exp, course, task, matrix }
}

/**
 * The parts of `exp-course-task`; a task may have dashes in it.
 * @throws RangeError
 */
export function parseModelName(name: string): Pick<Model, 'exp' | 'course' | 'task'> {
  const [, exp = '', course = '', task = ''] = /^(\w+)-(\w+)-(\w[\w-]*)$/.exec(name) ?? []
  if (task === '') throw new RangeError('its name is not exp-course-task.csv')
  if (!isExperiment(exp)) throw new RangeError('its name begins with no known experiment')
  return { exp, course, task }
}
