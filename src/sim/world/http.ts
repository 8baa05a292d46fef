import type { HttpAnswer, HttpRequest, ServerHandlers } from '../../world/sockets.ts'
import type { Machine } from './machine.ts'
import type { Process } from './process.ts'
import { systemError } from './system-error.ts'

const bodyBytes = 64_000

type Answer = Awaited<ReturnType<ServerHandlers['request']>>

/** One HTTP request over the simulated network. Every answer has a `date`, by the server's clock. */
export function request(process: Process, machine: Machine, url: string, asked: HttpRequest): Promise<HttpAnswer> {
  const { simulation } = process
  const { network } = simulation
  const target = new URL(url)
  return new Promise((resolve, reject) => {
    const fail = (code: string): void => {
      deadline.cancel()
      reject(systemError(code, 'connect', target.host))
    }
    const deadline = simulation.schedule(asked.timeoutMs * 1000, () => process.deliver('timer', () => fail('TIMEOUT')))
    const server = network.find(machine, target)
    if (server === undefined) return
    if (typeof server === 'string') {
      simulation.schedule(network.latencyUs[0], () => process.deliver('input', () => fail(server)))
      return
    }
    const answered = (answer: Answer): void => {
      forget()
      network.carry(server.machine, machine, process, () => {
        if (!answer) return fail('ECONNRESET')
        deadline.cancel()
        const date = new Date(server.machine.clock.wallUs() / 1000).toUTCString()
        const headers = lowerCase({ date, ...answer.headers })
        const certificate = target.protocol === 'https:' ? network.certificateOf(target.hostname) : undefined
        const body = answer.body.slice(0, bodyBytes)
        resolve({ status: answer.status, headers, body, ...(certificate && { certificate }) })
      })
    }
    const forget = server.process.atEnd((why) => {
      if (why === 'killed') answered(undefined)
    })
    network.carry(machine, server.machine, server.process, () => {
      server.handlers
        .request({
          method: asked.method,
          url: target.pathname + target.search,
          headers: lowerCase({ host: target.host, ...asked.headers }),
          body: asked.body ?? ''
        })
        .then(answered, () => answered(undefined))
    })
  })
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
