import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { realSupervisor } from './supervisor.ts'

/** Listens on a unix datagram socket, as systemd does, and prints each datagram with the sender's process id. */
const LISTENER = `
import socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
print("ready", flush=True)
while True:
    data, anc, _, _ = s.recvmsg(4096, 256)
    pid = next(struct.unpack("iII", d)[0] for l, t, d in anc if t == socket.SCM_CREDENTIALS)
    print(pid, data.decode().replace("\\n", ";"), flush=True)
`

const TELLER = `
const { realSupervisor } = await import(process.argv[1])
const supervisor = realSupervisor()
await supervisor.tell('READY=1\\nSTATUS=all is well')
await supervisor.tell('WATCHDOG=1')
await supervisor.tell('STOPPING=1')
console.log(process.pid, supervisor.watchdogMs)
`

test('systemd is told by this very process, on a real socket', async () => {
  const folder = await mkdtemp(`${tmpdir()}/understudy-notify-`)
  const socket = `${folder}/notify`
  const listener = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    listener.kill('SIGKILL')
    await rm(folder, { recursive: true })
  })
  let heard = ''
  const lines = (count: number): Promise<string[]> =>
    new Promise((resolve) => {
      const look = (): void => {
        const whole = heard.split('\n').slice(0, -1)
        if (whole.length >= count) resolve(whole)
        else listener.stdout.once('data', () => setImmediate(look))
      }
      look()
    })
  listener.stdout.on('data', (text: Buffer) => {
    heard += text
  })
  await lines(1)
  const program = fileURLToPath(new URL('./supervisor.ts', import.meta.url))
  const teller = spawn(process.execPath, ['--input-type=module', '-e', TELLER, program], {
    env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '30000000', WATCHDOG_PID: '' },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const [said] = (await once(teller.stdout, 'data')) as [Buffer]
  const [pid] = said.toString().split(' ')
  const told = ['READY=1;STATUS=all is well', 'WATCHDOG=1', 'STOPPING=1'].map((state) => `${pid} ${state}`)
  expect(await lines(4)).toEqual(['ready', ...told])
})

test('without a socket nothing is told, and nobody watches', async () => {
  const supervisor = realSupervisor({ WATCHDOG_USEC: '30000000' })
  expect(supervisor.watchdogMs).toBeUndefined()
  await supervisor.tell('READY=1')
})

test.each([
  ['for this process', { WATCHDOG_PID: String(process.pid) }, 30_000],
  ['for any', {}, 30_000],
  ['for another', { WATCHDOG_PID: '1' }, undefined],
  ['not at all', { WATCHDOG_USEC: '0' }, undefined]
])('the watchdog is meant %s', (_, env, expected) => {
  const given = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '30000000', ...env }
  expect(realSupervisor(given).watchdogMs).toBe(expected)
})
