import { inject } from 'light-my-request'
import type { HttpListener, ServerHandlers } from '../../world/sockets.ts'
import type { Process } from './process.ts'

/** So often it is looked whether what answers has done so. */
const LOOK_US = 100

/**
 * A listener as the simulated network asks it: with Node's own requests and answers, which no socket carries. Limits are
 * not kept; an answer that does not end is none.
 */
export function answererOf(process: Process, listener: HttpListener): ServerHandlers {
  return {
    async request({ method, url, headers, body }) {
      const injected = inject(listener as Parameters<typeof inject>[0], {
        method: method as 'GET' | 'POST',
        url,
        headers,
        payload: body
      })
      let settled = false
      const settle = (): void => {
        settled = true
      }
      injected.then(settle, settle)
      // Node's streams go on by ticks, which simulated time would run past.
      while (!settled) await process.pass(LOOK_US)
      const answer = await injected
      const named = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')])
      return { status: answer.statusCode, headers: Object.fromEntries(named), body: answer.body }
    },
    connected(connection) {
      connection.terminate()
      return { message() {}, pong() {}, closed() {}, ping: () => false }
    }
  }
}
