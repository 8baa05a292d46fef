import { resolve } from 'node:path'
import type { Journal } from '../../journal/journal.ts'
import type { OpenFile } from '../../world/files.ts'
import { InTurn } from '../../world/in-turn.ts'
import { sleep } from '../../world/time.ts'
import { Appliance } from '../appliance.ts'
import { type Command, relayOptions } from '../command.ts'
import { configOf } from '../configuration.ts'
import { LogTail } from '../log-tail.ts'
import { createLogger } from '../logger.ts'
import type { Call } from '../terminal.ts'
import { untilStopped } from '../until-stopped.ts'

/** systemd and people wait for 5 s. */
const STOP_MS = 4500

export const run: Command = {
  name: 'run',
  summary: 'records every stream, until it is told to stop',
  operandCount: { min: 0, max: 0 },
  description: [
    'Connects to every stream it has credentials for and keeps all that comes in the journal. New or renewed credential files are noticed while it runs. The other commands ask it over a socket in the data folder.',
    'It logs to standard output, one JSON object a line; with priorities in front where systemd reads them. It stops on SIGTERM or SIGINT within 5 s, with everything committed.',
    'Where the disk has no room, or is read-only, it says so, hears the streams all the same, keeps what comes in memory ([journal] memory), and records as soon as there is room.'
  ],
  options: {
    ...relayOptions,
    acks: {
      value: 'FILE',
      help: 'After each synced commit append a line for each stream in it: its name and the number of its last frame that is on the disk. With - they go to standard output, and the log to standard error.'
    }
  },
  exits: {
    1: 'It failed, or could not commit everything in time when told to stop.',
    3: 'Another one runs on the data folder.'
  },
  examples: [
    ['run', 'With the config in /etc/understudy and the credentials in /etc/practable.'],
    ['run --data /mnt/usb/understudy --credentials ~/practable', 'With other folders.']
  ],
  async run(call) {
    const { world, terminal } = call
    const config = await configOf(call)
    const acks = call.options.text('acks')
    const tail = new LogTail()
    const log = createLogger({
      level: config.log.level,
      priorities: terminal.env['JOURNAL_STREAM'] !== undefined,
      clock: world.clock,
      write: (line) => {
        tail.keep(line)
        if (acks === '-') terminal.err(line)
        else terminal.out(line).catch(() => {})
      }
    })
    const file = acks === undefined || acks === '-' ? undefined : await world.files.open(resolve(acks), 'append')
    const opened = acks === undefined ? {} : { opened: (journal: Journal) => acknowledge(journal, call, file) }
    const starting = Appliance.start(
      world,
      { config, user: terminal, waitsForDisk: true, page: { logged: () => tail.lines }, ...opened },
      log
    )
    const told = untilStopped(terminal.stop)
    // A start that hangs on its disk is stopped too, and one that fails while it waits for room ends.
    await Promise.race([told, starting.then((appliance) => appliance.opened).then(() => told)])
    const failed = (error: unknown): number => {
      log.error({ err: error }, 'not everything could be committed')
      return 1
    }
    const stopped = starting.then((appliance) => appliance.stop()).then(() => 0, failed)
    const code = await Promise.race([stopped, sleep(world.timers, STOP_MS)])
    return code ?? failed(new Error('the disk does not answer'))
  }
}

/** Tells what is on the disk; `file`, or standard output without one. */
function acknowledge(journal: Journal, { terminal }: Call, file: OpenFile | undefined): void {
  const writing = new InTurn()
  journal.onCommit((lastSeqs) => {
    const text = [...lastSeqs].map(([stream, seq]) => `${stream} ${seq}\n`).join('')
    if (text === '') return
    void writing.run(() => (file ? file.write(Buffer.from(text), 0) : terminal.out(text)))
  })
}
