import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Sockets } from '../sockets.ts'

/** How often it is looked whether somebody takes too long. */
const LOOK_MS = 1000

/** What is no HTTP, or too much of it, is answered by Node itself (400, 408, 431), and its connection closed. */
export const listen: Sockets['listen'] = async (
  { host, port, headerBytes, headersMs, requestMs, idleMs, connections },
  listener
) => {
  const options = {
    maxHeaderSize: headerBytes,
    headersTimeout: headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: LOOK_MS,
    // Who has vanished is noticed by the kernel, too.
    keepAlive: true,
    keepAliveInitialDelay: idleMs
  }
  const server = createServer(options, listener)
  server.maxConnections = connections
  server.timeout = idleMs
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}
