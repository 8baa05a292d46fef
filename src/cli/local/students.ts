import type { StudentGraph, StudentGraphs } from '../../analytics/student-graphs.ts'

/** Whose id begins so, once everything that is on the disk has been taken into account. */
export async function* listStudents(
  { nextPosition }: { readonly nextPosition: number },
  graphs: StudentGraphs,
  idBegins: string
): AsyncGenerator<StudentGraph> {
  await graphs.readTo(nextPosition)
  for await (const student of graphs.students()) if (student.user.startsWith(idBegins)) yield student
}
