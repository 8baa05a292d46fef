import type { CaptureStatus } from '../../captures/capture-status.ts'
import type { Window } from '../../captures/schedule.ts'
import { Zone } from '../../captures/zone.ts'
import { readTime } from '../arguments.ts'
import { type Command, dataOptions, jsonOption, usage } from '../command.ts'
import { configOf } from '../configuration.ts'
import { connectRunning } from '../local/open.ts'
import { createCommandLogger } from '../logger.ts'
import { Progress } from '../progress.ts'
import { ServedJournal } from '../served-journal.ts'
import { table } from '../table.ts'
import type { Call } from '../terminal.ts'
import { durationText, plural } from '../text.ts'

/** How many of the latest folders of a capture are listed. */
const LISTED = 10

export const captures: Command = {
  name: 'captures',
  summary: 'lists the windows that were sealed, that run and that come next, or seals one now',
  operands: '[run NAME]',
  operandCount: { min: 0, max: 2 },
  description: [
    'Lists for each capture of the config its latest sealed folders and whether they are confirmed to be elsewhere too, what has ended and is not sealed yet, what is running, and what comes next; and by what the clock was held to be right (ntp; relay: by the answers of the relay over verified TLS; trusted: by [clock] trust; none: not, for some of it). A running recorder seals every window by itself when it has ended.',
    'With run NAME a window of this capture is sealed now, after all that is due before it: the last one that has ended, or with --at the one that holds a time. One that is sealed already is left as it is; what has come to it since becomes a supplement.'
  ],
  options: {
    ...dataOptions,
    at: {
      value: 'TIME',
      help: 'With run: a time in the window. ISO 8601 with its zone, or a date, which is its midnight in UTC.'
    },
    all: { help: 'List every sealed folder, not only the latest ten of each capture.' },
    ...jsonOption
  },
  exits: { 1: 'The window has not ended, or the time is not known.' },
  examples: [
    ['captures', 'How every capture stands.'],
    ['captures run daily', 'Yesterday, if it is not sealed yet.'],
    ['captures run daily --at 2026-11-20T12:00:00Z', 'The day that holds this time.']
  ],
  async run(call) {
    const [verb, name] = call.positionals
    if (verb !== undefined && (verb !== 'run' || name === undefined)) usage('captures takes nothing, or run NAME')
    return name === undefined ? list(call) : make(call, name)
  }
}

async function list(call: Call): Promise<number> {
  const { terminal, options } = call
  const found = await withCaptures(call, (source) => source.status())
  await terminal.out(options.has('json') ? `${JSON.stringify(found)}\n` : statusText(found, options.has('all')))
  return 0
}

async function make(call: Call, name: string): Promise<number> {
  const { terminal, options } = call
  const at = options.text('at')
  const atUs = at === undefined ? undefined : readTime('--at', at)
  const progress = new Progress(terminal, 'sealing')
  const folders = await withCaptures(call, (source) =>
    source.run(name, atUs, (share) => progress.update(share))
  ).finally(() => progress.end())
  await terminal.out(
    options.has('json')
      ? `${JSON.stringify(folders)}\n`
      : folders.map((folder) => `captures/${name}/${folder}\n`).join('')
  )
  return 0
}

interface Source {
  status(): Promise<CaptureStatus[]>
  run(name: string, atUs: number | undefined, progress: (share: number) => void): Promise<string[]>
}

/** The captures of the Understudy that runs on the data folder, or where none does of its journal. */
async function withCaptures<T>(call: Call, use: (source: Source) => Promise<T>): Promise<T> {
  const { world, terminal } = call
  const config = await configOf(call)
  const running = await connectRunning(world, config.data.directory)
  if (running) {
    return use({
      status: () => running.captures(),
      run: (name, atUs, progress) => running.runCapture(name, atUs, progress)
    })
  }
  const recording = (): { streams: []; problems: [] } => ({ streams: [], problems: [] })
  const log = createCommandLogger('error', call)
  const own = await ServedJournal.open(world, { config, user: terminal }, recording, log)
  const { captures: made, journal } = own
  try {
    return await use({
      status: () => made.status(),
      run: (name, atUs, progress) => made.run(name, atUs, (_, position) => progress(position / journal.nextPosition))
    })
  } finally {
    await own.close()
  }
}

function statusText(captures: readonly CaptureStatus[], all: boolean): string {
  if (captures.length === 0) return 'no captures in the config\n'
  return captures.map((capture) => captureText(capture, all)).join('\n')
}

function captureText(capture: CaptureStatus, all: boolean): string {
  const { sealed, due, running, next, waitingUs, sealing } = capture
  const zone = new Zone(capture.timeZone)
  const period = ({ fromUs, toUs }: Pick<Window, 'fromUs' | 'toUs'>): string =>
    `${zone.iso(fromUs)} to ${zone.iso(toUs)}`
  const shown = all ? sealed : sealed.slice(-LISTED)
  const rows = [
    ...shown.map(({ folder, confirmed, removed, timeSources = [], fromUs, toUs }) => [
      folder,
      removed ? 'no longer here' : confirmed ? 'confirmed' : 'sealed',
      fromUs === undefined || toUs === undefined ? 'without a time' : period({ fromUs, toUs }),
      timeSources.join(', ')
    ]),
    ...(due ?? []).map((window) => [window.label, sealing === window.label ? 'being sealed' : 'due', period(window)]),
    ...(running ?? []).map((window) => [window.label, 'running', period(window)]),
    ...(next ? [[next.label, 'next', period(next)]] : [])
  ]
  const hidden = sealed.length - shown.length
  return [
    `${capture.capture}: ${capture.schedule}, ${capture.timeZone}\n`,
    ...(hidden > 0 ? [`  ${plural(hidden, 'earlier folder')} (--all)\n`] : []),
    ...(due === undefined ? [`  the time is not known; waiting for ${durationText(waitingUs)}\n`] : []),
    ...(rows.length > 0 ? [table(['folder', 'state', 'period', 'time source'], rows)] : [])
  ].join('')
}
