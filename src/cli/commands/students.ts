import { sum } from '../../analytics/measures/matrix.ts'
import { taskDistance } from '../../analytics/measures/task-distance.ts'
import { loadModels, type Models } from '../../analytics/models.ts'
import type { StudentGraph } from '../../analytics/student-graphs.ts'
import { printable, shortId } from '../../analytics/student-ids.ts'
import { type Command, dataOptions, jsonOption } from '../command.ts'
import { configOf } from '../configuration.ts'
import { table } from '../table.ts'
import { countText, plural } from '../text.ts'
import { withStudents } from '../with-students.ts'

export const students: Command = {
  name: 'students',
  summary: 'lists of each course who has done how much, and which task it is nearest to',
  operandCount: { min: 0, max: 0 },
  description: [
    'Lists for each experiment and course the students that the journal knows of, the last seen first: how many of their messages count (commands and feedback), how many of these are commands, when the last one came, and the comparison graph that their own is nearest to, with the task distance. Works while a recorder runs on the data folder and while none does.',
    'Ids are shortened, here and in JSON, unless --show-ids asks for them.'
  ],
  options: {
    ...dataOptions,
    exp: { value: 'NAME', help: 'Only of this experiment.' },
    course: { value: 'NAME', help: 'Only of this course.' },
    'show-ids': { help: 'Show whole ids.' },
    ...jsonOption
  },
  exits: {},
  examples: [
    ['students --course cie3', 'How far a course is.'],
    ['students --json --show-ids', 'For a script.']
  ],
  async run(call) {
    const { world, terminal, options } = call
    const { primary } = await configOf(call)
    const models = await loadModels(world.files, primary.compPath)
    const [exp, course] = [options.text('exp'), options.text('course')]
    const idOf = options.has('show-ids') ? printable : shortId
    const rows: Row[] = []
    await withStudents(call, '', (student) => {
      if ((exp ?? student.exp) === student.exp && (course ?? student.course) === student.course) {
        rows.push(rowOf(student, models, idOf))
      }
    })
    rows.sort((a, b) => order(a, b))
    await terminal.out(options.has('json') ? `${JSON.stringify(rows)}\n` : rowsText(rows))
    return 0
  }
}

interface Row {
  readonly user: string
  readonly exp: string
  readonly course: string
  readonly messages: number
  readonly commands: number
  readonly last_seen: string
  /** `null` before there are two commands, and where the course has no graphs. */
  readonly nearest_task: string | null
  readonly task_distance: number | null
}

function rowOf(student: StudentGraph, models: Models, idOf: (user: string) => string): Row {
  const { user, exp, course, matrix, feedback, commands, lastMs } = student
  const distances = models.of(exp, course).flatMap(({ name, matrix: task }) => {
    const distance = taskDistance(matrix, task)
    return distance === undefined ? [] : [{ name, distance }]
  })
  const nearest = distances.sort((a, b) => a.distance - b.distance)[0]
  return {
    user: idOf(user),
    exp,
    course: printable(course),
    messages: commands + sum(feedback),
    commands,
    last_seen: new Date(lastMs).toISOString(),
    nearest_task: nearest?.name ?? null,
    task_distance: nearest?.distance ?? null
  }
}

function order(a: Row, b: Row): number {
  const [left, right] = [`${a.exp} ${a.course}`, `${b.exp} ${b.course}`]
  if (left !== right) return left < right ? -1 : 1
  return a.last_seen < b.last_seen ? 1 : -1
}

function rowsText(rows: readonly Row[]): string {
  if (rows.length === 0) return 'no students\n'
  const titles = ['USER', '>MESSAGES', '>COMMANDS', 'LAST SEEN', 'NEAREST TASK', '>DISTANCE']
  const parts = [...Map.groupBy(rows, ({ exp, course }) => `${exp} ${course}`)].map(([name, own]) => {
    const cells = own.map(({ user, messages, commands, last_seen, nearest_task, task_distance }) => [
      user,
      countText(messages),
      countText(commands),
      last_seen,
      nearest_task ?? '-',
      task_distance?.toFixed(2) ?? '-'
    ])
    return `${name}: ${plural(own.length, 'student')}\n${table(titles, cells)}`
  })
  return parts.join('\n')
}
