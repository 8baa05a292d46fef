import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** Tells a running qemu to do something, over the socket of its QMP; gives its answer, or fails with its reason. */
export async function tell(socketPath: string, command: string, args: object = {}): Promise<unknown> {
  const socket = await connected(socketPath)
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
    socket.write(`{"execute":"qmp_capabilities"}${JSON.stringify({ execute: command, arguments: args })}\n`)
    for (let answers = 0; ; ) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`qemu has gone at ${command}`)
      const said = JSON.parse(value) as { return?: unknown; error?: { desc: string } }
      if (said.error) throw new Error(`${command}: ${said.error.desc}`)
      // The greeting and events are no answers; the first is to being let in.
      if ('return' in said && ++answers === 2) return said.return
    }
  } finally {
    socket.destroy()
  }
}

/** It listens a moment after it was started. */
async function connected(path: string): Promise<Socket> {
  for (;;) {
    const socket = createConnection(path)
    try {
      await once(socket, 'connect')
      return socket
    } catch {
      await sleep(20)
    }
  }
}
