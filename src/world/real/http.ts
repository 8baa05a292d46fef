import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { HttpAnswer, HttpRequest } from '../sockets.ts'
import { faultOf, validityOf } from './dates.ts'
import { codedError, flatHeaders, readBody } from './message.ts'
import { takeRoute } from './route.ts'

const BODY_BYTES = 64 * 1024

/** One request on a connection of its own. Redirects are not followed. */
export async function request(url: string, { timeoutMs, ...wanted }: HttpRequest): Promise<HttpAnswer> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), timeoutMs)
  const { signal } = deadline
  try {
    const { method, headers = {}, body } = wanted
    const isSecure = url.startsWith('https:')
    const send = isSecure ? https.request : http.request
    const call = send(url, { agent: false, method, headers, signal, ...takeRoute(url, wanted, signal) })
    call.on('error', () => {}) // it may fail once more after the first failure
    call.end(body)
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    const fault = faultOf(answer, wanted)
    if (fault) {
      call.destroy()
      throw codedError(fault, 'the certificate was not valid at the time of the answer')
    }
    // Without TLS the socket may still be one: that to the proxy.
    const certificate = isSecure ? validityOf(answer) : undefined
    const read = await readBody(answer, BODY_BYTES)
    call.destroy()
    return {
      status: answer.statusCode ?? 0,
      headers: flatHeaders(answer.headers),
      body: read.toString('utf8', 0, BODY_BYTES),
      ...(certificate && { certificate })
    }
  } catch (error) {
    throw signal.aborted ? codedError('TIMEOUT', `no answer in ${timeoutMs} ms`, error) : error
  } finally {
    clearTimeout(timer)
  }
}
