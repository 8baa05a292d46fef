import type { Counts } from './count.ts'
import { tableCsv } from './count-csv.ts'
import { nodesOf } from './experiments.ts'
import { sum } from './measures/matrix.ts'
import { type Model, parseModelName } from './models.ts'

/** Whose commands a comparison graph is made of, where a log has those of several. */
export interface Chosen {
  readonly user?: string | undefined
  /** The course the log was made in; default: that of the graph. */
  readonly course?: string | undefined
}

/**
 * Makes a comparison graph of what one person has done.
 * @param name `exp-course-task`
 * @throws RangeError with what is wrong, without anybody's id
 */
export function buildModel(name: string, counts: Counts, { user, course }: Chosen = {}): Model {
  const { exp, ...parts } = parseModelName(name)
  const wantedCourse = course ?? parts.course
  const found = [...counts.students()].filter((one) => one.commands > 0)
  const [student, ...others] = found.filter(
    ({ key }) => key.exp === exp && key.course === wantedCourse && (user ?? key.user) === key.user
  )
  if (student === undefined) {
    const there = [...new Set(found.map(({ key }) => `${key.exp} in ${key.course}`))]
    const has = there.length === 0 ? 'no commands at all' : `commands of ${there.sort().join(', ')}`
    throw new RangeError(`there are no commands of ${exp} in ${wantedCourse}, but ${has}`)
  }
  if (others.length > 0) throw new RangeError(`the commands are of ${others.length + 1} people: name one`)
  const matrix = student.matrix()
  if (sum(matrix) === 0) throw new RangeError('one command alone makes no graph')
  return { name, exp, ...parts, matrix }
}

/** As the primary keeps a comparison graph. */
export function modelCsv({ exp, matrix }: Model): string {
  return tableCsv(nodesOf[exp], nodesOf[exp], matrix)
}
