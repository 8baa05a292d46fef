import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { openSnapshot } from '../../src/journal/snapshot.ts'
import { realWorld } from '../../src/world/real.ts'

const streams = Array.from({ length: 100 }, (_, index) => `spin${100 + index}`)
const FRAME_BYTES = 10_000_000
/** Of the recorder's own memory, what it may take at most while it may hold 64 MB of frames. */
const ANONYMOUS_MB = 400

const recorder = fileURLToPath(new URL('./stalling-recorder.ts', import.meta.url))

async function anonymousMb(pid: number): Promise<number> {
  const [, kb] = /^RssAnon:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kb) / 1000
}

test('100 streams send 10 MB each while the disk stands still', { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(`${tmpdir()}/understudy-stall-`)
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const sockets = new Map<string, WebSocket>()
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  onTestFinished(() => {
    for (const socket of sockets.values()) socket.terminate()
    server.close()
  })
  await once(server, 'listening')
  server.on('connection', (socket, { url = '' }) => {
    socket.on('error', () => {})
    sockets.set(url.slice(url.lastIndexOf('/') + 1), socket)
  })
  const { port } = server.address() as AddressInfo
  const urls = streams.map((stream) => `ws://127.0.0.1:${port}/ws/${stream}`)
  const lines = ['[streams]', `credentials = ${JSON.stringify(folder)}`, `sockets = ${JSON.stringify(urls)}`]
  await writeFile(`${folder}/config.toml`, [...lines, '[journal]', 'commit_interval = "100ms"'].join('\n'))

  const args = ['run', '--config', `${folder}/config.toml`, '--data', `${folder}/data`]
  const child = spawn(process.execPath, [recorder, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  const until = async (condition: () => boolean, what: string): Promise<void> => {
    for (const started = performance.now(); !condition(); await sleep(20)) {
      if (child.exitCode !== null || performance.now() - started > 120_000) throw new Error(`not ${what}: ${said}`)
    }
  }
  await until(() => sockets.size === streams.length, 'connected')
  const idleMb = await anonymousMb(child.pid!)
  child.kill('SIGUSR2')
  await until(() => said.includes('stalled'), 'stalled')

  const stalledUs = Date.now() * 1000
  const frame = Buffer.alloc(FRAME_BYTES, 'a')
  let sent = 0
  for (const socket of sockets.values()) socket.send(frame, () => sent++)
  let mostMb = 0
  const watch = setInterval(() => {
    void anonymousMb(child.pid!).then(
      (mb) => {
        mostMb = Math.max(mostMb, mb)
      },
      () => {}
    )
  }, 20)
  onTestFinished(() => clearInterval(watch))
  await until(() => sent === streams.length, 'sent')
  await sleep(3000)
  clearInterval(watch)
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  expect((await exit)[0], said).toBe(0)

  const snapshot = await openSnapshot(await realWorld(), `${folder}/data`)
  const large = new Set<string>()
  for await (const frames of snapshot.range({})) {
    for (const { stream, payload } of frames) {
      if (payload.length < 100) continue
      expect(payload.equals(frame), stream).toBe(true)
      expect(large.has(stream), `${stream} is there twice`).toBe(false)
      large.add(stream)
    }
  }
  for (const { stream, rest } of await snapshot.coverage()) {
    if (large.has(stream)) continue
    const told = rest.some((part) => part.toUs > stalledUs && part.cause !== 'stopped')
    expect(told, `${stream} has lost a frame and does not say so`).toBe(true)
  }
  expect((await snapshot.verify()).problems).toEqual([])
  await snapshot.close()
  console.log(
    `${large.size} of ${streams.length} frames of 10 MB kept; ${Math.round(mostMb)} MB of own memory at most, ` +
      `${Math.round(idleMb)} MB before`
  )
  expect(mostMb).toBeLessThan(ANONYMOUS_MB)
})
