import type { RepairReport } from '../../journal/repairs.ts'
import { readCount } from '../arguments.ts'
import { type Command, dataOptions, jsonOption } from '../command.ts'
import { configOf } from '../configuration.ts'
import { connectRunning } from '../local/open.ts'
import { createCommandLogger } from '../logger.ts'
import { Progress } from '../progress.ts'
import { ServedJournal } from '../served-journal.ts'
import type { Call } from '../terminal.ts'

export const repair: Command = {
  name: 'repair',
  summary: 'sets damaged stores aside and salvages what can be read of them',
  operands: '[STORE]',
  operandCount: { min: 0, max: 1 },
  description: [
    'Looks through one finished store, named by its number, or through all of them. A damaged one is moved to aside/ in the data folder, where it stays, and what can be read of it is put in its place. What is missing is on record, and named by `verify`.',
    'A running recorder does this by itself with whatever it comes upon. This makes it look everywhere, and try again what it had no room for.'
  ],
  options: { ...dataOptions, ...jsonOption },
  exits: { 1: 'A damaged store could not be salvaged.' },
  examples: [
    ['repair', 'All finished stores.'],
    ['repair 12', 'Store 12.']
  ],
  async run(call) {
    const { options, positionals, terminal } = call
    const [named] = positionals
    const report = await ask(call, named === undefined ? undefined : readCount('STORE', named))
    await terminal.out(options.has('json') ? `${JSON.stringify(report)}\n` : reportText(report))
    return report.unsalvaged.length > 0 ? 1 : 0
  }
}

async function ask(call: Call, store: number | undefined): Promise<RepairReport> {
  const { world, terminal } = call
  const config = await configOf(call)
  const running = await connectRunning(world, config.data.directory)
  const progress = new Progress(terminal, 'repairing')
  const told = (done: number, total: number): void => {
    // Told to stop, it ends when what is under way is whole.
    if (!terminal.stop.aborted && total > 0) progress.update(done / total)
  }
  if (running) return running.repair(store, told).finally(() => progress.end())
  const log = createCommandLogger('error', call)
  const recording = (): { streams: []; problems: [] } => ({ streams: [], problems: [] })
  const own = await ServedJournal.open(world, { config, user: terminal }, recording, log)
  try {
    return await own.journal.repair(store, told)
  } finally {
    progress.end()
    await own.close()
  }
}

function reportText({ examined, salvaged, unsalvaged }: RepairReport): string {
  const lines = [`${examined.length} examined, ${salvaged.length} salvaged`]
  if (salvaged.length > 0) lines.push(`salvaged: ${salvaged.join(', ')}`)
  if (unsalvaged.length > 0) lines.push(`could not be salvaged: ${unsalvaged.join(', ')}`)
  return `${lines.join('\n')}\n`
}
