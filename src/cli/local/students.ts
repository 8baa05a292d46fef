import type { StudentGraph, StudentGraphs } from '../../analytics/student-graphs.ts'

/** A student's graph as it goes over the local socket. */
export type ListedStudent = Omit<StudentGraph, 'graph'>

/** Whose id begins so, once everything that is on the disk has been taken into account. */
export async function* listStudents(
  { nextPosition }: { readonly nextPosition: number },
  graphs: StudentGraphs,
  idBegins: string
): AsyncGenerator<ListedStudent> {
  await graphs.readTo(nextPosition)
  for await (const { graph: _, ...student } of graphs.students()) if (student.user.startsWith(idBegins)) yield student
}
