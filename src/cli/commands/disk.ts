import type { DiskReport } from '../../journal/journal.ts'
import { type Command, dataOptions, jsonOption } from '../command.ts'
import { configOf } from '../configuration.ts'
import { diskProblems } from '../disk-text.ts'
import { connectRunning } from '../local/open.ts'
import { createCommandLogger } from '../logger.ts'
import { ServedJournal } from '../served-journal.ts'
import type { Call } from '../terminal.ts'

export const disk: Command = {
  name: 'disk',
  summary: 'takes the data disk into use again after it was away',
  operandCount: { min: 0, max: 0 },
  description: [
    'Looks for the disk that [data] disk in the config names. Where it is there, what lies on it is read through and can be read again, and what comes from now on is written to it. What came meanwhile stays in the data folder; everything is read together.',
    'A recorder notices a disk that fails by itself and goes on in the data folder at once. It notices its return at its next start, when it begins its next store (see [journal] store_size and store_age), or by this command. Connect and mount the disk first: an empty mount point is not a disk.',
    'A disk that this journal does not know is taken into use besides the ones before: what lies on those can be read when they are there. Only a data folder without any journal goes on with the one that it finds on the disk, when a recorder first starts.'
  ],
  options: { ...dataOptions, ...jsonOption },
  exits: { 1: 'The disk cannot be used, or a part of the journal lies on one that is not there.' },
  examples: [['disk', 'After the disk was connected and mounted again.']],
  async run(call) {
    const report = await ask(call)
    await call.terminal.out(call.options.has('json') ? `${JSON.stringify(report)}\n` : reportText(report))
    return report.away.length > 0 || (report.mount !== undefined && !report.used) ? 1 : 0
  }
}

async function ask(call: Call): Promise<DiskReport> {
  const { world, terminal } = call
  const config = await configOf(call)
  const running = await connectRunning(world, config.data.directory)
  if (running) return running.lookForDisk()
  const log = createCommandLogger('error', call)
  const recording = (): { streams: []; problems: [] } => ({ streams: [], problems: [] })
  const own = await ServedJournal.open(world, { config, user: terminal }, recording, log)
  try {
    return await own.journal.lookForDisk()
  } finally {
    await own.close()
  }
}

function reportText(report: DiskReport): string {
  const { mount, used } = report
  const place = mount === undefined ? 'the data folder' : used ? mount : `the data folder, not ${mount}`
  return [`writing to ${place}`, ...diskProblems(report), ''].join('\n')
}
