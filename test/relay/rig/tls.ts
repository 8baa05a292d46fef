import { connect } from 'node:net'
import { createServer } from 'node:tls'
import { listening } from '../../../src/world/real/fixtures.ts'

/** Ends TLS before a server of plain TCP; gives its own port. Gone after the test. */
export async function endTls(tls: { key: string; cert: string }, target: string): Promise<number> {
  const { hostname, port } = new URL(target)
  const server = createServer(tls, (socket) => {
    const onward = connect(Number(port), hostname)
    for (const [one, other] of [
      [socket, onward],
      [onward, socket]
    ] as const) {
      one.on('error', () => other.destroy()).once('close', () => other.destroy())
      one.pipe(other)
    }
  })
  server.on('tlsClientError', () => {})
  return (await listening(server)).port
}
