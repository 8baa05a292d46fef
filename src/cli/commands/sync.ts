import type { Config } from '../../config/config.ts'
import { UnderstudyError } from '../../errors.ts'
import { FarSide } from '../../sync/far-side.ts'
import type { Report } from '../../sync/handover.ts'
import { syncPaths } from '../../sync/paths.ts'
import { setupOf, setupText } from '../../sync/setup.ts'
import { type Command, dataOptions, jsonOption } from '../command.ts'
import { configOf } from '../configuration.ts'
import { connectRunning } from '../local/open.ts'
import { createCommandLogger } from '../logger.ts'
import { Progress } from '../progress.ts'
import { ServedJournal } from '../served-journal.ts'
import type { Call } from '../terminal.ts'
import { plural } from '../text.ts'

export const sync: Command = {
  name: 'sync',
  summary: 'hands sealed folders to the primary now, and fetches its receipts',
  operandCount: { min: 0, max: 0 },
  description: [
    'Sends by rsync over ssh what the primary named in [sync] target does not have yet, and believes that it has something only when its receipt gives the same hashes as the manifest. A running recorder does this by itself; it is asked to do it at once, whatever failed before. What was cut off goes on where it ended.',
    'With --setup nothing is sent: it makes the two keys, if there are none, and prints what has to be put on the primary. One key may only add files to the folder of this site, the other may only read its receipts.'
  ],
  options: {
    ...dataOptions,
    setup: { help: 'Print what has to be put on the primary, with the lines for authorized_keys.' },
    recheck: { help: 'Ask the primary to hash anew what it has, to find what was damaged there since.' },
    ...jsonOption
  },
  exits: { 1: 'The primary could not be reached, or what it has of a folder is not what was sent.' },
  examples: [
    ['sync --setup', 'What the technician of the primary needs, once.'],
    ['sync', 'Hand over what there is.'],
    ['sync --recheck --json', 'Prove that everything is still there, for a script.']
  ],
  async run(call) {
    const config = await configOf(call)
    if (call.options.has('setup')) return printSetup(call, config)
    const progress = new Progress(call.terminal, 'sending')
    const report = await handOver(call, config, (share) => progress.update(share)).finally(() => progress.end())
    await call.terminal.out(call.options.has('json') ? `${JSON.stringify(report)}\n` : reportText(report))
    return report.differing.length > 0 ? 1 : 0
  }
}

async function printSetup({ world, terminal, options }: Call, config: Config): Promise<number> {
  const { target } = config.sync
  if (target === undefined) throw new UnderstudyError('UNDERSTUDY_SYNC_NO_TARGET')
  await world.host.actAsOwnerOf(config.data.directory)
  const keys = await new FarSide(world, config, syncPaths(config)).prepare()
  const setup = setupOf(config.site, target, keys)
  await terminal.out(options.has('json') ? `${JSON.stringify(setup)}\n` : setupText(config.site, target, setup))
  return 0
}

async function handOver(call: Call, config: Config, progress: (share: number) => void): Promise<Report> {
  const { world, terminal, options } = call
  const recheck = options.has('recheck')
  const running = await connectRunning(world, config.data.directory)
  if (running) return running.sync(recheck, progress)
  const recording = (): { streams: []; problems: [] } => ({ streams: [], problems: [] })
  const log = createCommandLogger('error', call)
  const own = await ServedJournal.open(world, { config, user: terminal }, recording, log)
  try {
    return await own.sync.run({ recheck, progress: (_, share) => progress(share), signal: terminal.stop })
  } finally {
    await own.close()
  }
}

function reportText({ sent, confirmed, waiting, differing, unerased = [] }: Report): string {
  const lines = [`${plural(sent.length, 'folder')} sent, ${confirmed.length} confirmed`]
  if (waiting.length > 0) lines.push(`not confirmed yet: ${waiting.join(', ')}`)
  if (differing.length > 0) lines.push(`the primary does not have as they were sent: ${differing.join(', ')}`)
  for (const what of unerased) {
    const { code, message } = new UnderstudyError('UNDERSTUDY_ERASE_AWAY', what)
    lines.push(`${code}: ${message}`)
  }
  return `${lines.join('\n')}\n`
}
