import type { StudentBase } from '../analytics/student-graphs.ts'
import { UnderstudyError } from '../errors.ts'
import { readBases } from '../sync/primary-bases.ts'
import { readTime } from './arguments.ts'
import { usage } from './command.ts'
import { configOf } from './configuration.ts'
import { connectRunning } from './local/open.ts'
import { createCommandLogger } from './logger.ts'
import { withPrimaryFolder } from './primary-folder.ts'
import { ServedJournal } from './served-journal.ts'
import type { Call } from './terminal.ts'
import { countText, plural } from './text.ts'

/** `import --graphs DIR --as-of TIME`: the students' graphs go on from what a primary had counted. */
export async function importGraphs(call: Call): Promise<number> {
  const { options, positionals, terminal, world } = call
  const place = options.text('graphs') ?? usage('--as-of goes with --graphs')
  const asOfUs = readTime('as-of', options.text('as-of') ?? usage('--graphs needs --as-of: when they were as they are'))
  if (positionals.length > 0 || options.has('raw')) usage('--graphs goes without files')
  if (asOfUs > world.clock.wallUs()) usage('--as-of is in the future')
  const { data } = await configOf(call)
  const { bases, unreadable } = await withPrimaryFolder(call, place, data.directory, (folder) =>
    readBases(folder, asOfUs / 1000)
  )
  if (bases.length === 0) throw new UnderstudyError('UNDERSTUDY_NO_PRIMARY_GRAPHS', place)
  const taken = await handOver(call, data.directory, bases)
  const report = { students: bases.length, taken, older: bases.length - taken, unreadable }
  await terminal.out(options.has('json') ? `${JSON.stringify(report)}\n` : reportText(report))
  return unreadable > 0 ? 1 : 0
}

/** To the Understudy that runs, or where none does to the data folder itself. */
async function handOver(call: Call, dataDirectory: string, bases: readonly StudentBase[]): Promise<number> {
  const client = await connectRunning(call.world, dataDirectory)
  if (client) return client.takeBases(bases)
  const config = await configOf(call)
  const log = createCommandLogger('warn', call)
  const recording = () => ({ streams: [], problems: [] })
  const own = await ServedJournal.open(call.world, { config, user: call.terminal }, recording, log)
  try {
    return await own.graphs.takeBases(bases)
  } finally {
    await own.close()
  }
}

function reportText({
  students,
  taken,
  older,
  unreadable
}: Readonly<Record<'students' | 'taken' | 'older' | 'unreadable', number>>): string {
  const parts = [`the graphs of ${countText(taken)} of ${plural(students, 'student')} go on from there`]
  if (older > 0) parts.push(`${countText(older)} went on from a later time already`)
  if (unreadable > 0) parts.push(`${plural(unreadable, 'student')} left out, whose tables cannot be read`)
  return `${parts.join('; ')}\n`
}
