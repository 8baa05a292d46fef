import type { Captures } from '../../captures/captures.ts'
import { UnderstudyError } from '../../errors.ts'
import type { Frame } from '../../journal/entry.ts'
import type { JournalReader } from '../../journal/reading.ts'
import type { Sync } from '../../sync/sync.ts'
import type { LocalRequest } from '../../world/sockets.ts'
import { sleep, type Timers } from '../../world/time.ts'
import { follow } from './follow.ts'
import type { OwnJournal } from './own-journal.ts'
import { frameToJson, type Message } from './protocol.ts'
import type { LocalBackend } from './server.ts'

/** Messages in batches, each given when the one before has been taken. */
export type Answer = AsyncGenerator<Message[]>

/** How far the journal reaches, what of it is away, and whose frames it holds. */
export async function* answerExtent(journal: JournalReader): Answer {
  const { firstPosition, nextPosition, away } = journal
  yield [{ result: { firstPosition, nextPosition, away, streams: await journal.streams() } }]
}

export async function* answerCoverage(journal: JournalReader, query: URLSearchParams): Answer {
  const streams = query.getAll('stream')
  yield [{ result: await journal.coverage({ ...period(query), ...(streams.length > 0 && { streams }) }) }]
}

export async function* answerFrames(journal: JournalReader, query: URLSearchParams): Answer {
  const streams = query.getAll('stream')
  const before = query.get('before')
  const range = journal.range({
    ...period(query),
    ...(streams.length > 0 && { streams: new Set(streams) }),
    ...(before !== null && { before: Number(before) }),
    ...(query.has('recorded') && { recorded: true })
  })
  for await (const frames of range) yield items(frames)
  yield [{ result: null }]
}

export async function* answerVerify(journal: JournalReader, query: URLSearchParams, timers: Timers): Answer {
  const since = query.get('since')
  let reached: readonly [number, number] = [0, 0]
  let done = false
  const progress = (bytes: number, total: number): void => {
    reached = [bytes, total]
  }
  const report = journal.verify({ progress, ...(since !== null && { since: Number(since) }) }).finally(() => {
    done = true
  })
  while (!done) {
    await Promise.race([report, sleep(timers, 250)])
    yield [{ progress: reached }]
  }
  yield [{ result: await report }]
}

export async function* answerCaptures(captures: Captures): Answer {
  yield [{ result: await captures.status() }]
}

/** Makes a window now; what it answers is the folders of it. */
export async function* answerCapturesRun(
  { firstPosition, nextPosition }: JournalReader,
  captures: Captures,
  query: URLSearchParams,
  timers: Timers
): Answer {
  const at = query.get('at')
  let reached = firstPosition
  let done = false
  const progress = (_: number, position: number): void => {
    reached = position
  }
  const made = captures.run(query.get('name') ?? '', at === null ? undefined : Number(at), progress).finally(() => {
    done = true
  })
  // It is awaited below; until then nobody listens.
  made.catch(() => {})
  while (!done) {
    await Promise.race([made.catch(() => {}), sleep(timers, 250)])
    yield [{ progress: [reached - firstPosition, nextPosition - firstPosition] }]
  }
  yield [{ result: await made }]
}

export async function* answerRepair(journal: OwnJournal, query: URLSearchParams): Answer {
  const store = query.get('store')
  yield [{ result: await journal.repair(store === null ? undefined : Number(store)) }]
}

/** What the recorder says of itself, and how it stands with the primary. */
export async function* answerStatus({ status, sync }: LocalBackend): Answer {
  yield [{ result: { ...status(), sync: await sync.status() } }]
}

/** One pass now; goes on when the asker has gone. */
export async function* answerSync(sync: Sync, { query }: LocalRequest): Answer {
  let shares: Message[] = []
  let moved = Promise.withResolvers<void>()
  const progress = (_: string, share: number): void => {
    shares.push({ progress: [share, 1] })
    moved.resolve()
  }
  let done = false
  const report = sync.run({ recheck: query.has('recheck'), progress }).finally(() => {
    done = true
  })
  // Who asked may be gone before it ends.
  report.catch(() => {})
  while (!done) {
    await Promise.race([report, moved.promise])
    yield shares
    shares = []
    moved = Promise.withResolvers()
  }
  yield [{ result: await report }]
}

export async function* answerDisk(journal: OwnJournal): Answer {
  yield [{ result: await journal.lookForDisk() }]
}

/** The frames of a stream that come within `ms` from now. */
export async function* answerFollow(backend: LocalBackend, { query, signal }: LocalRequest, timers: Timers): Answer {
  const stream = query.get('stream') ?? ''
  if (!backend.status().streams.some((known) => known.stream === stream)) {
    throw new UnderstudyError('UNDERSTUDY_UNKNOWN_STREAM')
  }
  const end = new AbortController()
  const timer = timers.after(Number(query.get('ms')), () => end.abort())
  try {
    for await (const frames of follow(backend.journal, stream, AbortSignal.any([end.signal, signal]))) {
      yield items(frames)
    }
    yield [{ result: null }]
  } finally {
    timer.cancel()
  }
}

function items(frames: readonly Frame[]): Message[] {
  return frames.map((frame) => ({ item: frameToJson(frame) }))
}

function period(query: URLSearchParams): { fromUs?: number; toUs?: number } {
  const from = query.get('from')
  const to = query.get('to')
  return { ...(from !== null && { fromUs: Number(from) }), ...(to !== null && { toUs: Number(to) }) }
}
