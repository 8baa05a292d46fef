import { join, resolve } from 'node:path'
import { JsonLines } from '../../captures/formats/json-lines.ts'
import { raw } from '../../captures/formats/raw.ts'
import { checkStreamName } from '../../captures/stream-name.ts'
import type { Config } from '../../config/config.ts'
import { socketStream } from '../../config/socket-url.ts'
import { UnderstudyError } from '../../errors.ts'
import type { Frame } from '../../journal/entry.ts'
import type { Files, OpenFile } from '../../world/files.ts'
import type { Ms } from '../../world/time.ts'
import { Appliance } from '../appliance.ts'
import { readNumber } from '../arguments.ts'
import { type Command, jsonOption, relayOptions } from '../command.ts'
import { configOf } from '../configuration.ts'
import { follow } from '../local/follow.ts'
import { connectRunning } from '../local/open.ts'
import { errorOf } from '../local/protocol.ts'
import type { Status } from '../local/status.ts'
import { createCommandLogger } from '../logger.ts'
import { Progress } from '../progress.ts'
import type { Call } from '../terminal.ts'
import { plural } from '../text.ts'
import { untilStopped } from '../until-stopped.ts'

const MAX_SECONDS = 30 * 86_400
const SHOW_MS = 250

/** What is being recorded. */
type Recording = Pick<Status, 'streams' | 'problems'>

export const capture: Command = {
  name: 'capture',
  summary: 'records one stream for a time into a file',
  operands: 'STREAM DIR SECONDS',
  operandCount: { min: 3, max: 3 },
  description: [
    'Writes the messages of a stream into DIR/STREAM.jsonl as they come, one message a line, for so many seconds or until it is told to stop. What is no JSON goes to DIR/STREAM.other. They are kept in the journal too: where an Understudy runs on the data folder it is asked for them, otherwise this one connects and records the stream itself.'
  ],
  options: { ...relayOptions, ...jsonOption },
  exits: { 1: 'The recorder ended in between, or the stream was not heard and nothing came: why not is told.' },
  examples: [['capture spin30 /tmp/spin30 600', 'Ten minutes of one stream.']],
  async run(call) {
    const { world, terminal, positionals } = call
    const [stream = '', directory = '', seconds = ''] = positionals
    checkStreamName(stream)
    const ms = readNumber('SECONDS', seconds, MAX_SECONDS) * 1000
    const config = await configOf(call)
    const running = await connectRunning(world, config.data.directory)
    const captured = new Capture(world.files, resolve(directory), stream)
    const endProgress = showTime(call, `capturing ${stream}`, ms)
    let after: Recording
    try {
      if (running === undefined) after = await recordOne(call, config, stream, ms, captured)
      else {
        requireUsable(await running.status(), stream)
        await captured.open()
        await Promise.race([captured.take(running.follow(stream, ms)), untilStopped(terminal.stop)])
        after = await running.status()
      }
    } finally {
      endProgress()
      await captured.close()
    }
    const { messages, others } = captured
    if (messages + others === 0) requireHeard(after, stream)
    const text = `${plural(messages, 'message')}, ${plural(others, 'part')} no JSON\n`
    await terminal.out(call.options.has('json') ? `${JSON.stringify({ stream, messages, others })}\n` : text)
    return 0
  }
}

/** Records a stream as its own recorder, for `ms`. */
async function recordOne(call: Call, config: Config, stream: string, ms: Ms, captured: Capture): Promise<Recording> {
  const { world, terminal } = call
  const log = createCommandLogger('warn', call)
  const sockets = config.streams.sockets.filter((url) => socketStream(url) === stream)
  // Nobody is to take it for the recorder.
  const notify = { url: undefined }
  const narrowed = { ...config, notify, streams: { ...config.streams, only: [stream], sockets } }
  const appliance = await Appliance.start(world, { config: narrowed, user: terminal }, log)
  const time = new AbortController()
  const timer = world.timers.after(ms, () => time.abort())
  try {
    requireUsable(appliance.recording(), stream)
    await captured.open()
    await captured.take(follow(appliance.journal, stream, AbortSignal.any([time.signal, terminal.stop])))
    return appliance.recording()
  } finally {
    timer.cancel()
    await appliance.stop()
  }
}

/** @throws UNDERSTUDY_UNKNOWN_STREAM, or what is wrong with its credentials */
function requireUsable({ streams, problems }: Recording, wanted: string): void {
  const found = streams.find(({ stream }) => stream === wanted)
  if (!found) throw new UnderstudyError('UNDERSTUDY_UNKNOWN_STREAM', wanted)
  const problem = problems.find(({ stream, code }) => stream === wanted && code === found.code)
  if (problem) throw errorOf(problem)
}

/** @throws why it is not heard, where that is known */
function requireHeard({ streams }: Recording, wanted: string): void {
  const { heard, code } = streams.find(({ stream }) => stream === wanted) ?? {}
  if (!heard && code !== undefined) throw errorOf({ code, detail: wanted })
}

/** Shows how much of the time is over; gives what ends it. */
function showTime({ world, terminal }: Call, what: string, ms: Ms): () => void {
  const progress = new Progress(terminal, what)
  const sinceUs = world.clock.monoUs()
  const timer = world.timers.every(SHOW_MS, () => {
    if (!terminal.stop.aborted) progress.update((world.clock.monoUs() - sinceUs) / 1000 / ms)
  })
  return () => {
    timer.cancel()
    progress.end()
  }
}

/** The files of a capture; they grow as messages come. */
class Capture {
  messages = 0
  others = 0
  private readonly files: Files
  private readonly directory: string
  private readonly stream: string
  private readonly opened: OpenFile[] = []

  constructor(files: Files, directory: string, stream: string) {
    this.files = files
    this.directory = directory
    this.stream = stream
  }

  /** @throws UNDERSTUDY_OUTPUT_EXISTS */
  async open(): Promise<void> {
    await this.files.makeDirectory(this.directory)
    for (const ending of ['jsonl', 'other']) {
      const path = join(this.directory, `${this.stream}.${ending}`)
      if (await this.files.info(path)) throw new UnderstudyError('UNDERSTUDY_OUTPUT_EXISTS', path)
      this.opened.push(await this.files.open(path, 'append'))
    }
  }

  async take(frames: AsyncIterable<Frame[]>): Promise<void> {
    const [lines, other] = this.opened
    const content = { lines: new JsonLines(), other: new JsonLines() }
    for await (const batch of frames) {
      for (const frame of batch) {
        const { messages, others } = raw(frame, content.lines, content.other)
        this.messages += messages
        this.others += others
      }
      await lines?.write(content.lines.view(), 0)
      await other?.write(content.other.view(), 0)
      content.lines.clear()
      content.other.clear()
    }
  }

  async close(): Promise<void> {
    for (const file of this.opened) {
      await file.sync()
      await file.close()
    }
  }
}
