import { resolve } from 'node:path'
import { validate } from '../../config/validate.ts'
import type { StreamCoverage } from '../../journal/reading.ts'
import { split } from '../../relay/splitter.ts'
import { type Ms, sleep } from '../../world/time.ts'
import type { World } from '../../world/world.ts'
import { Appliance } from '../appliance.ts'
import { readCount, readDuration, readNumber } from '../arguments.ts'
import { type Command, jsonOption } from '../command.ts'
import { LiveView } from '../live-view.ts'
import { createCommandLogger } from '../logger.ts'
import { SimulatedLab } from '../simulated-lab.ts'
import { coverageTable } from '../table.ts'
import type { Call } from '../terminal.ts'
import { countText, plural } from '../text.ts'

const WAIT_MS = 10_000

export const demo: Command = {
  name: 'demo',
  summary: 'records simulated spinners, to see how it works',
  operandCount: { min: 0, max: 0 },
  description: [
    'Starts a simulated relay on this machine with simulated students on its streams, and a recorder beside them in the same process. Shows what is being recorded. When it is told to stop (Ctrl-C), or after --for, the students leave, what is under way is recorded, and it prints how much of each stream was heard.',
    'Nothing is sent to any other machine. The other commands work on its data folder while it runs.'
  ],
  options: {
    streams: { value: 'COUNT', help: 'How many streams; default 12.' },
    rate: { value: 'HZ', help: "Messages a second on each stream; without it they come at a person's pace." },
    for: { value: 'DURATION', help: 'Stop after this long, like 30s.' },
    data: { value: 'DIR', help: 'Where to record; default a folder in /tmp, removed at the end.' },
    ...jsonOption
  },
  exits: { 1: 'A message that the simulated relay passed on was not recorded.' },
  examples: [
    ['demo --for 30s', 'Half a minute.'],
    ['demo --streams 3 --rate 20 --data /tmp/demo', 'A lot of traffic, kept for later.']
  ],
  async run(call) {
    const { world, options } = call
    const streams = readCount('--streams', options.text('streams') ?? '12', 1000)
    const rate = options.text('rate')
    const time = options.text('for')
    const forMs = time === undefined ? undefined : readDuration('--for', time)
    const lab = new SimulatedLab(world, {
      streams,
      ...(rate !== undefined && { rateHz: readNumber('--rate', rate, 1000) })
    })
    const temporary = `/tmp/understudy-demo-${world.random.bytes(6).toString('hex')}`
    try {
      await lab.open(world, `${temporary}/credentials`)
      const data = options.text('data')
      return await record(call, lab, {
        directory: data === undefined ? `${temporary}/data` : resolve(data),
        credentials: `${temporary}/credentials`,
        forMs
      })
    } finally {
      await lab.close()
      await world.files.remove(temporary)
    }
  }
}

interface DemoFolders {
  readonly directory: string
  readonly credentials: string
  readonly forMs: Ms | undefined
}

async function record(call: Call, lab: SimulatedLab, { directory, credentials, forMs }: DemoFolders): Promise<number> {
  const { world, terminal } = call
  const isJson = call.options.has('json')
  // pings are frequent, so that a short demo ends soon after the last proof of hearing
  const relay = { ping_interval: '1s', silence_timeout: '5s' }
  const checked = validate({ data: { directory }, streams: { credentials }, relay })
  if ('faults' in checked) throw new Error('the config of the demo is not valid')
  const log = createCommandLogger('error', call)
  const { config } = checked
  const appliance = await Appliance.start(
    world,
    { config, user: terminal, messagesIn, page: { logged: () => [] } },
    log
  )
  let coverage: StreamCoverage[]
  try {
    if (!isJson)
      await terminal.out(
        `recording ${plural(lab.streams.length, 'simulated spinner')} into ${directory}; Ctrl-C ends it\n\n`
      )
    await until(world, () => appliance.tally.streams().every(({ heard }) => heard), terminal.stop)
    if (!isJson && appliance.pageUrl !== undefined) await terminal.out(`the page: ${appliance.pageUrl}\n\n`)
    const fromUs = world.clock.wallUs()
    if (!terminal.stop.aborted) await lab.begin()
    await watch(call, appliance, forMs)
    lab.leave()
    await until(world, () => recorded(appliance) >= lab.received())
    await appliance.journal.commit()
    coverage = await appliance.journal.coverage({ streams: lab.streams, fromUs })
  } finally {
    await appliance.stop()
  }
  const [kept, passed] = [recorded(appliance), lab.received()]
  const text = `\n${coverageTable(coverage)}\n${countText(kept)} of ${plural(passed, 'message')} recorded\n`
  await terminal.out(isJson ? `${JSON.stringify({ coverage, recorded: kept, passed })}\n` : text)
  return kept === passed ? 0 : 1
}

/** Shows what is recorded until it is time to end. */
async function watch({ world, terminal, options }: Call, appliance: Appliance, forMs: Ms | undefined): Promise<void> {
  const end = new AbortController()
  const timer = forMs === undefined ? undefined : world.timers.after(forMs, () => end.abort())
  const stop = AbortSignal.any([end.signal, terminal.stop])
  const view = new LiveView(terminal, world.clock)
  const show = async (): Promise<void> => {
    if (!options.has('json')) await view.show(appliance.tally.streams())
  }
  while (!stop.aborted) {
    await show()
    await sleep(world.timers, terminal.outIsTerminal ? 1000 : 5000, stop)
  }
  timer?.cancel()
  await show()
}

/** Waits until it is so, for a while at most. */
async function until({ clock, timers }: World, isSo: () => boolean, stop?: AbortSignal): Promise<void> {
  const endUs = clock.monoUs() + WAIT_MS * 1000
  while (!isSo() && clock.monoUs() < endUs && !stop?.aborted) await sleep(timers, 100, stop)
}

function recorded(appliance: Appliance): number {
  return appliance.tally.streams().reduce((sum, { messages }) => sum + messages, 0)
}

function messagesIn(payload: Buffer): number {
  let count = 0
  for (const { kind } of split(payload)) if (kind === 'json') count++
  return count
}
