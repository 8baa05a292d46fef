import type { StudentBase, StudentGraphs } from '../../analytics/student-graphs.ts'
import type { Captures } from '../../captures/captures.ts'
import { UnderstudyError } from '../../errors.ts'
import type { Frame } from '../../journal/entry.ts'
import type { JournalReader } from '../../journal/reading.ts'
import type { Sync } from '../../sync/sync.ts'
import type { LocalRequest } from '../../world/sockets.ts'
import { sleep, type Timers } from '../../world/time.ts'
import { follow } from './follow.ts'
import type { OwnJournal } from './own-journal.ts'
import { frameToJson, type Message, readMessages } from './protocol.ts'
import type { LocalBackend } from './server.ts'
import { listStudents } from './students.ts'

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

/** It ends when nobody wants to know any more. */
export function answerVerify(journal: JournalReader, { query, signal }: LocalRequest, timers: Timers): Answer {
  const since = query.get('since')
  return withProgress(timers, (told) => {
    const progress = (bytes: number, total: number): void => {
      signal.throwIfAborted()
      told(bytes, total)
    }
    return journal.verify({ progress, ...(since !== null && { since: Number(since) }) })
  })
}

/** The result of long work, and until it is there how far that has come. */
async function* withProgress(
  timers: Timers,
  work: (told: (done: number, total: number) => void) => Promise<unknown>
): Answer {
  let reached: readonly [number, number] = [0, 0]
  let ended = false
  const result = work((done, total) => {
    reached = [done, total]
  }).finally(() => {
    ended = true
  })
  // It is awaited below; until then nobody may listen.
  result.catch(() => {})
  while (!ended) {
    await Promise.race([result.catch(() => {}), sleep(timers, 250)])
    yield [{ progress: reached }]
  }
  yield [{ result: await result }]
}

export async function* answerCaptures(captures: Captures): Answer {
  yield [{ result: await captures.status() }]
}

/** Makes a window now; what it answers is the folders of it. */
export function answerCapturesRun(
  { firstPosition, nextPosition }: JournalReader,
  captures: Captures,
  query: URLSearchParams,
  timers: Timers
): Answer {
  const at = query.get('at')
  return withProgress(timers, (told) => {
    const progress = (_: number, position: number): void => told(position - firstPosition, nextPosition - firstPosition)
    return captures.run(query.get('name') ?? '', at === null ? undefined : Number(at), progress)
  })
}

/** What is damaged is repaired also when the asker has gone. */
export function answerRepair(journal: OwnJournal, query: URLSearchParams, timers: Timers): Answer {
  const store = query.get('store')
  return withProgress(timers, (told) => journal.repair(store === null ? undefined : Number(store), told))
}

/** The graphs of students whose id begins so. */
export async function* answerStudents({ journal, graphs }: LocalBackend, query: URLSearchParams): Answer {
  for await (const item of listStudents(journal, graphs, query.get('user') ?? '')) yield [{ item }]
  yield [{ result: null }]
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

/** Takes what a primary had counted of students; answers of how many it was taken. */
export async function* answerBases(graphs: StudentGraphs, { body }: LocalRequest): Answer {
  let taken = 0
  for await (const messages of readMessages(body)) {
    const bases = messages.flatMap((message) => ('item' in message ? [message.item as StudentBase] : []))
    taken += await graphs.takeBases(bases)
  }
  yield [{ result: taken }]
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
