import type { StudentGraphs } from '../../analytics/student-graphs.ts'
import type { Captures } from '../../captures/captures.ts'
import { UnderstudyError } from '../../errors.ts'
import type { Sync } from '../../sync/sync.ts'
import type { LocalRequest } from '../../world/sockets.ts'
import type { World } from '../../world/world.ts'
import {
  type Answer,
  answerBases,
  answerCaptures,
  answerCapturesRun,
  answerCoverage,
  answerDisk,
  answerExtent,
  answerFollow,
  answerFrames,
  answerRepair,
  answerStatus,
  answerStudents,
  answerSync,
  answerVerify
} from './answers.ts'
import { Intake } from './intake.ts'
import type { OwnJournal } from './own-journal.ts'
import { errorMessage, type Message, writeMessages } from './protocol.ts'
import type { Status } from './status.ts'

/** What answers are made of. */
export interface LocalBackend {
  readonly journal: OwnJournal
  readonly captures: Captures
  readonly sync: Sync
  readonly graphs: StudentGraphs
  status(): Omit<Status, 'sync'>
}

/**
 * Answers the other commands while this process records, on a unix socket. Long answers are made piece by piece, each
 * when the asker has taken the one before, and recording goes on in between.
 * @throws UNDERSTUDY_ALREADY_RUNNING
 */
export function serveCommands(world: World, path: string, backend: LocalBackend): Promise<{ close(): Promise<void> }> {
  const { journal } = backend
  const intake = new Intake(journal)
  const routes: Readonly<Record<string, (request: LocalRequest) => Answer>> = {
    'GET /status': () => answerStatus(backend),
    'GET /extent': () => answerExtent(journal),
    'GET /coverage': ({ query }) => answerCoverage(journal, query),
    'GET /frames': ({ query }) => answerFrames(journal, query),
    'GET /verify': (request) => answerVerify(journal, request, world.timers),
    'GET /follow': (request) => answerFollow(backend, request, world.timers),
    'GET /captures': () => answerCaptures(backend.captures),
    'GET /students': ({ query }) => answerStudents(backend, query),
    'POST /captures/run': ({ query }) => answerCapturesRun(journal, backend.captures, query, world.timers),
    'POST /sync': (request) => answerSync(backend.sync, request),
    'POST /disk': () => answerDisk(journal),
    'POST /repair': ({ query }) => answerRepair(journal, query, world.timers),
    'POST /graphs/bases': (request) => answerBases(backend.graphs, request),
    'POST /import': (request) => intake.answer(request)
  }
  return world.sockets.serveLocal(path, async (request) => {
    const route = routes[`${request.method} ${request.path}`]
    const unknown = new UnderstudyError('UNDERSTUDY_USAGE', 'the running Understudy is of another version')
    const answer = route === undefined ? one(errorMessage(unknown)) : route(request)
    return { status: 200, body: encoded(answer) }
  })
}

async function* one(message: Message): Answer {
  yield [message]
}

async function* encoded(answer: Answer): AsyncGenerator<string> {
  try {
    for await (const messages of answer) yield writeMessages(messages)
  } catch (error) {
    yield writeMessages([errorMessage(error)])
  }
}
