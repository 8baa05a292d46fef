import type { Student } from '../../analytics/count.ts'
import { tableCsv } from '../../analytics/count-csv.ts'
import { nodesOf, states, subjectsOf } from '../../analytics/experiments.ts'
import { type EncodedNames, safeName } from './file-name.ts'

/** What the primary calls a raw log; names that are no file's are encoded. */
export function rawLogName(
  { user, exp, course }: { readonly user: string; readonly exp: string; readonly course: string },
  hardware: string,
  encoded: EncodedNames
): string {
  const parts = [hardware, exp, course].map((part) => safeName(part, 'part', encoded))
  return `${[safeName(user, 'user', encoded), ...parts].join('-')}.json`
}

/** A student's matrix and feedback table under the primary's names, as far as there is anything in them. */
export function studentTables(student: Student<unknown>, encoded: EncodedNames): Array<[name: string, csv: string]> {
  const { user, exp, course } = student.key
  const name = [safeName(user, 'user', encoded), exp, safeName(course, 'part', encoded)].join('-')
  const tables: Array<[string, string]> = []
  if (student.commands > 0) {
    tables.push([`${name}-adjacency.csv`, tableCsv(nodesOf[exp], nodesOf[exp], student.matrix())])
  }
  if (student.feedbackCount > 0) {
    tables.push([`${name}-feedback.csv`, tableCsv(states, subjectsOf(exp, course), student.feedback)])
  }
  return tables
}
