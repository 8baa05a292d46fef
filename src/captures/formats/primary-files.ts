import type { Matrix, Student } from '../../analytics/count.ts'
import { tableCsv } from '../../analytics/count-csv.ts'
import type { Key } from '../../analytics/count-message.ts'
import { nodesOf, states, subjectsOf } from '../../analytics/experiments.ts'
import type { FileNames } from './file-name.ts'

/** What a message in a raw log says of itself. */
export interface Logged {
  readonly user: string
  readonly hardware: string
  readonly exp: string
  readonly course: string
}

/** What a message that the primary keeps in a raw log says; it keeps those of type analytics that say all of it. */
export function readLogged(message: unknown): Logged | undefined {
  const { type, user, hardware, exp, course } = (message ?? {}) as Record<string, unknown>
  if (type !== 'analytics' || typeof user !== 'string' || typeof hardware !== 'string') return undefined
  return typeof exp === 'string' && typeof course === 'string' ? { user, hardware, exp, course } : undefined
}

/** What the primary calls a raw log; names that are no file's are encoded. */
export function rawLogName({ user, hardware, exp, course }: Logged, names: FileNames): string {
  const parts = [hardware, exp, course].map((part) => names.of(part, 'part'))
  return `${[names.of(user, 'user'), ...parts].join('-')}.json`
}

export type TableKind = 'adjacency' | 'feedback'

/** The names of a table's rows and columns. */
export function tableLabels(kind: TableKind, { exp, course }: Key): readonly [readonly string[], readonly string[]] {
  return kind === 'adjacency' ? [nodesOf[exp], nodesOf[exp]] : [states, subjectsOf(exp, course)]
}

/** A table under the primary's name. */
export function tableFile(kind: TableKind, key: Key, values: Matrix, names: FileNames): [string, string] {
  const { user, exp, course } = key
  const name = [names.of(user, 'user'), exp, names.of(course, 'part'), kind].join('-')
  return [`${name}.csv`, tableCsv(...tableLabels(kind, key), values)]
}

/** A student's matrix and feedback table, as far as there is anything in them. */
export function studentTables(student: Student<unknown>): Array<{ kind: TableKind; values: Matrix }> {
  const tables: Array<{ kind: TableKind; values: Matrix }> = []
  if (student.commands > 0) tables.push({ kind: 'adjacency', values: student.matrix() })
  if (student.feedbackCount > 0) tables.push({ kind: 'feedback', values: student.feedback })
  return tables
}
