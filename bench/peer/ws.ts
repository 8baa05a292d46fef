/**
 * The least a receiver in Node can do: every frame is parsed and forgotten.
 *
 *     ws.ts URL...
 *
 * SIGUSR2 makes it print how many messages it has taken.
 */
import { WebSocket } from 'ws'

let taken = 0
for (const url of process.argv.slice(2)) {
  new WebSocket(url, { perMessageDeflate: false }).on('message', (data: Buffer) => {
    JSON.parse(data.toString())
    taken += 1
  })
}
process.on('SIGUSR2', () => process.stdout.write(`${taken}\n`))
