import { UnderstudyError } from '../../errors.ts'
import type { LocalAnswer, LocalRequest } from '../../world/sockets.ts'
import type { Place } from './files.ts'
import type { Machine } from './machine.ts'
import { never, type Process } from './process.ts'
import { systemError } from './system-error.ts'

const hopUs = 50
/** What the kernel takes as a unix socket's path. */
const longestPathBytes = 107

/** Who listens on a unix socket. */
export interface LocalServer {
  readonly process: Process
  readonly answer: (request: LocalRequest) => Promise<LocalAnswer>
}

export async function serveLocal(
  process: Process,
  machine: Machine,
  place: Place,
  path: string,
  answer: LocalServer['answer']
): Promise<{ close(): Promise<void> }> {
  const { disk } = place
  const wallMs = (): number => Math.trunc(machine.clock.wallUs() / 1000)
  const [directory, name] = await process.io(0, () => {
    if (Buffer.byteLength(path) > longestPathBytes) throw systemError('EINVAL', 'listen', path)
    if (machine.localServers.has(path)) throw new UnderstudyError('UNDERSTUDY_ALREADY_RUNNING', path)
    disk.checkWriting('listen', path)
    const named = disk.parent(place.path, 'listen')
    disk.name(wallMs(), { directory: named[0], name: named[1], node: disk.newSocket(wallMs()) })
    machine.localServers.set(path, { process, answer })
    return named
  })
  // The socket's file stays behind when the process is killed.
  const forget = process.atEnd(() => machine.localServers.delete(path))
  return {
    close: () =>
      process.io(0, () => {
        forget()
        machine.localServers.delete(path)
        if (directory.names.get(name)?.kind === 'other') disk.name(wallMs(), { directory, name, node: undefined })
      })
  }
}

export function askLocal(
  process: Process,
  machine: Machine,
  place: Place,
  path: string,
  asked: { method: string; path: string; body?: AsyncIterable<Uint8Array> }
): Promise<{ status: number; body: AsyncIterable<Buffer> }> {
  if (!process.alive) return never
  return new Promise((resolve, reject) => {
    const server = machine.localServers.get(path)
    const hop = (to: Process, run: () => void): void => {
      process.simulation.schedule(hopUs, () => to.deliver('input', run))
    }
    if (!server) {
      const code = place.disk.find(place.path) ? 'ECONNREFUSED' : 'ENOENT'
      hop(process, () => reject(systemError(code, 'connect', path)))
      return
    }
    const gone = new AbortController()
    const leave = (): void => hop(server.process, () => gone.abort())
    const noLongerAtEnd = process.atEnd(leave)
    const lost = (): void => hop(process, () => reject(systemError('ECONNRESET', 'read', path)))
    const noLongerLost = server.process.atEnd(lost)
    const url = new URL(asked.path, 'http://local')
    const request: LocalRequest = {
      method: asked.method,
      path: url.pathname,
      query: url.searchParams,
      body: piped(asked.body ?? nothing(), process, server.process, () => {}),
      signal: gone.signal
    }
    hop(server.process, () => {
      server.answer(request).then((answer) => {
        noLongerLost()
        const chunks = typeof answer.body === 'string' ? once(answer.body) : answer.body
        const body = piped(chunks, server.process, process, (early) => {
          noLongerAtEnd()
          if (early) leave()
        })
        hop(process, () => resolve({ status: answer.status, body }))
      }, lost)
    })
  })
}

/** Hands chunks from one process to another, each when it is asked for. `ended` is told whether the taker left before the end. */
function piped(
  source: AsyncIterable<Uint8Array | string>,
  from: Process,
  to: Process,
  ended: (early: boolean) => void
): AsyncIterable<Buffer> {
  const { simulation } = to
  const chunks = source[Symbol.asyncIterator]()
  const hop = (process: Process, run: () => void): void => {
    simulation.schedule(hopUs, () => process.deliver('input', run))
  }
  return {
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise<IteratorResult<Buffer>>((resolve, reject) => {
          const broken = (): void => hop(to, () => reject(systemError('ECONNRESET', 'read')))
          if (!from.alive) return broken()
          const noLongerBroken = from.atEnd(broken)
          hop(from, () => {
            chunks.next().then(({ done, value }) => {
              noLongerBroken()
              if (done) ended(false)
              hop(to, () => resolve(done ? { done, value: undefined } : { done: false, value: Buffer.from(value) }))
            }, broken)
          })
        }),
      return: async () => {
        ended(true)
        hop(from, () => {
          chunks.return?.().catch(() => {})
        })
        return { done: true, value: undefined }
      }
    })
  }
}

async function* once(text: string): AsyncGenerator<string> {
  yield text
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
