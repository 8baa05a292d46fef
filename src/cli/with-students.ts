import type { StudentGraph } from '../analytics/student-graphs.ts'
import { requireJournal } from '../journal/paths.ts'
import { configOf } from './configuration.ts'
import { connectRunning } from './local/open.ts'
import { listStudents } from './local/students.ts'
import { createCommandLogger } from './logger.ts'
import { ServedJournal } from './served-journal.ts'
import type { Call } from './terminal.ts'

/**
 * Tells of the students whose id begins so: those of the recorder that runs on the data folder, or of its journal.
 * @throws UNDERSTUDY_NO_JOURNAL
 */
export async function withStudents(
  call: Call,
  idBegins: string,
  take: (student: StudentGraph) => unknown
): Promise<void> {
  const { world, terminal } = call
  const config = await configOf(call)
  const running = await connectRunning(world, config.data.directory)
  if (running) {
    for await (const student of running.students(idBegins)) take(student)
    return
  }
  await requireJournal(world.files, config.data.directory)
  const log = createCommandLogger('error', call)
  const own = await ServedJournal.open(world, { config, user: terminal }, () => ({ streams: [], problems: [] }), log)
  own.graphs.start()
  try {
    for await (const student of listStudents(own.journal, own.graphs, idBegins)) take(student)
  } finally {
    await own.close()
  }
}
