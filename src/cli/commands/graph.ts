import type { Comparison } from '../../analytics/drawing/comparison.ts'
import { csvOf } from '../../analytics/drawing/csv.ts'
import { dotOf } from '../../analytics/drawing/dot.ts'
import { jsonOf } from '../../analytics/drawing/json.ts'
import { svgOf } from '../../analytics/drawing/svg.ts'
import { loadModels, type Model } from '../../analytics/models.ts'
import type { StudentGraph } from '../../analytics/student-graphs.ts'
import { printable, shortId } from '../../analytics/student-ids.ts'
import { UnderstudyError } from '../../errors.ts'
import { type Command, dataOptions, usage } from '../command.ts'
import { configOf } from '../configuration.ts'
import type { Call, Options } from '../terminal.ts'
import { withStudents } from '../with-students.ts'

const formats: Readonly<Record<string, (comparison: Comparison) => string>> = {
  svg: (comparison) => svgOf(comparison),
  dot: dotOf,
  csv: csvOf,
  json: (comparison) => `${JSON.stringify(jsonOf(comparison))}\n`
}

export const graph: Command = {
  name: 'graph',
  summary: "draws a student's graph, beside a task's",
  operands: 'USER',
  operandCount: { min: 1, max: 1 },
  description: [
    "Prints the graph of a student's commands: how often each followed each other. With --task the task's graph stands beside it, and in the student's, what is missing is dotted and labelled with a minus sign, what the task has not is dashed and labelled with a plus sign. Nodes are where the dashboard puts them; an edge's width is its weight's root, since weights reach from 1 to hundreds. Works while a recorder runs on the data folder and while none does.",
    'USER is an id or the beginning of one, as `understudy students` shows it. Where a student has several graphs, --exp, --course or the task say which is meant. The id is shortened in what is printed, unless --show-ids asks for it.'
  ],
  options: {
    ...dataOptions,
    task: { value: 'NAME', help: 'The comparison graph, EXP-COURSE-TASK; see `understudy graphs check`.' },
    exp: { value: 'NAME', help: 'The experiment.' },
    course: { value: 'NAME', help: 'The course.' },
    svg: { help: 'A picture, for browsers. It holds no script and refers to nothing outside.' },
    dot: { help: 'For Graphviz: neato -n keeps the places.' },
    csv: { help: 'One line an edge, with its weight in both graphs.' },
    json: { help: 'Nodes, edges, and how far the student is from the task.' },
    'show-ids': { help: 'Print the whole id.' }
  },
  exits: {},
  examples: [
    ['graph 3fa85f64 --task spinner-cie3-1-2 --svg >graph.svg', 'What is missing for a task.'],
    ['graph 3fa85f64 --course engdes1 --csv', 'The edges alone.']
  ],
  async run(call) {
    const { options, terminal, positionals } = call
    const asked = Object.keys(formats).filter((format) => options.has(format))
    if (asked.length !== 1) usage('graph expects one of --svg, --dot, --csv and --json')
    const task = await taskOf(call)
    const student = await find(call, positionals[0]!.replace(/…$/, ''), task)
    if (task !== undefined && task.exp !== student.exp) usage(`${task.name} is of another experiment`)
    const who = options.has('show-ids') ? printable(student.user) : shortId(student.user)
    const { exp, course, matrix } = student
    await terminal.out(formats[asked[0]!]!({ exp, course, who, student: matrix, task }))
    return 0
  }
}

async function taskOf(call: Call): Promise<Model | undefined> {
  const name = call.options.text('task')
  if (name === undefined) return undefined
  const models = await loadModels(call.world.files, (await configOf(call)).primary.compPath)
  const task = models.get(name)
  if (task === undefined) throw new UnderstudyError('UNDERSTUDY_UNKNOWN_GRAPH', name)
  return task
}

/** The one graph that is meant. */
async function find(call: Call, user: string, task: Model | undefined): Promise<StudentGraph> {
  const found: StudentGraph[] = []
  await withStudents(call, user, (student) => found.push(student))
  const exact = found.filter((student) => student.user === user)
  const those = narrowed(exact.length > 0 ? exact : found, call.options, task)
  const [student] = those
  if (student === undefined) throw new UnderstudyError('UNDERSTUDY_UNKNOWN_STUDENT')
  const people = new Set(those.map((one) => one.user)).size
  if (people > 1) throw new UnderstudyError('UNDERSTUDY_UNKNOWN_STUDENT', `${people} ids begin so`)
  if (those.length > 1) {
    const names = those.map(({ exp, course }) => `${exp} ${printable(course)}`).join(', ')
    throw new UnderstudyError('UNDERSTUDY_UNKNOWN_STUDENT', `name one of ${names} with --exp and --course`)
  }
  return student
}

function narrowed(found: readonly StudentGraph[], options: Options, task: Model | undefined): StudentGraph[] {
  const [exp, course] = [options.text('exp'), options.text('course')]
  const named = found.filter((one) => (exp ?? one.exp) === one.exp && (course ?? one.course) === one.course)
  const ofTask = named.filter((one) => one.exp === task?.exp && one.course === task.course)
  return ofTask.length > 0 ? ofTask : named
}
