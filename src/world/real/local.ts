import { once } from 'node:events'
import { chmod, lstat, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { systemCode, UnderstudyError } from '../../errors.ts'
import type { LocalAnswer, LocalRequest, Sockets } from '../sockets.ts'

type Answering = (request: LocalRequest) => Promise<LocalAnswer>

/** HTTP on a unix socket. Of two processes that replace the same stale socket at the same moment the later one wins. */
export const serveLocal: Sockets['serveLocal'] = async (path, answer) => {
  // requestTimeout: an import may go on for hours.
  const server = createServer({ requestTimeout: 0 }, (request, response) => void reply(request, response, answer))
  try {
    await listen(server, path)
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE' || !(await lstat(path)).isSocket()) throw error
    if (await isListening(path)) throw new UnderstudyError('UNDERSTUDY_ALREADY_RUNNING', path, { cause: error })
    await rm(path, { force: true })
    await listen(server, path)
  }
  await chmod(path, 0o660)
  return {
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

/** Asks such a server; see the door. */
export const askLocal: Sockets['askLocal'] = async (path, { method, path: target, body }) => {
  const call = request({ socketPath: path, method, path: target, agent: false })
  call.on('error', () => {}) // it may fail once more after its answer has begun
  // Not a pipeline: that would throw away an answer that came before the whole question was sent.
  const question = Readable.from(body ?? [])
  call.once('close', () => question.destroy())
  const failed = new Promise<never>((_, reject) => {
    question.once('error', (error) => {
      call.destroy()
      reject(error)
    })
  })
  question.pipe(call)
  const [answer] = (await Promise.race([once(call, 'response'), failed])) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, body: answer }
}

/**
 * The umask, not a chmod afterwards, so that others can't get in before it. It holds for this one synchronous call,
 * and takes from files that other threads make meanwhile no more than the rights of others.
 */
async function listen(server: Server, path: string): Promise<void> {
  const before = process.umask(0o007)
  try {
    server.listen(path)
  } finally {
    process.umask(before)
  }
  await once(server, 'listening')
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    if (systemCode(error) === 'ECONNREFUSED') return false
    throw error
  } finally {
    socket.destroy()
  }
}

async function reply(incoming: IncomingMessage, response: ServerResponse, answer: Answering): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => response.writableFinished || gone.abort())
  try {
    const { pathname: path, searchParams: query } = new URL(incoming.url ?? '/', 'http://local')
    const { method = 'GET' } = incoming
    // An answerer who leaves off reading, for an error say, is to answer all the same.
    const question = incoming.iterator({ destroyOnReturn: false })
    const { status, body } = await answer({ method, path, query, body: question, signal: gone.signal })
    response.writeHead(status)
    await pipeline(typeof body === 'string' ? [body] : body, response, { end: false })
    // Read to its end, or the asker's next write would fail before it has seen the answer.
    if (!incoming.readableEnded) await finished(incoming.resume())
    response.end()
  } catch {
    response.destroy()
  }
}
