import { configOf } from '../configuration.ts'
import { createCommandLogger } from '../logger.ts'
import { ServedJournal } from '../served-journal.ts'
import type { Call } from '../terminal.ts'
import { type ImportTargets, openImportTargets } from './import-target.ts'

/** Where a command imports into: the journal of the Understudy that runs, or where none does the one it opens itself. */
export async function ownImportTargets(call: Call): Promise<ImportTargets> {
  const config = await configOf(call)
  const log = createCommandLogger('warn', call)
  return openImportTargets(call.world, config.data.directory, () =>
    ServedJournal.open(call.world, { config, user: call.terminal }, () => ({ streams: [], problems: [] }), log)
  )
}
