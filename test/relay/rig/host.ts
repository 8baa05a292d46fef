import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { credentialsOf } from '../../../src/sim/relay/join.ts'
import type { RelayPeer } from '../../../src/sim/relay/peer.ts'
import { Probe } from '../../../src/sim/relay/probe.ts'
import { sleep } from '../../../src/world/time.ts'
import { freePort } from '../../support/free-port.ts'
import { world } from './relays.ts'
import { Speaker } from './speaker.ts'

/**
 * Starts the real relay's local host process, which passes on the one stream; gives the stream's URL when it does.
 * Gone after the test.
 */
export async function startHost(binary: string, relay: RelayPeer, stream: string): Promise<string> {
  const port = await freePort()
  // Its help speaks of RELAYHOST_PORT, which it does not read.
  const child = spawn(binary, ['host'], { stdio: 'ignore', env: { VW_PORT: String(port) } })
  onTestFinished(async () => {
    if (child.exitCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  })
  const { accessUrl, token } = credentialsOf(world, relay, stream)
  const rule = { id: '0', stream, destination: accessUrl, token }
  await tried(() =>
    world.sockets.request(`http://127.0.0.1:${port}/api/destinations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(rule),
      timeoutMs: 5000
    })
  )
  // A pong of its own says nothing of the relay behind it.
  const url = `ws://127.0.0.1:${port}/ws/${stream}`
  const listener = new Probe(world, url)
  await listener.untilHeard()
  const speaker = await Speaker.join(relay, stream)
  await tried(async () => {
    await speaker.say(['{"anyone":"there"}'])
    if (listener.frames().length === 0) throw new Error('not passed on')
  })
  listener.connection.terminate()
  return url
}

async function tried(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = 100; ; left -= 1) {
    try {
      await attempt()
      return
    } catch (error) {
      if (left === 0) throw error
      await sleep(world.timers, 50)
    }
  }
}
