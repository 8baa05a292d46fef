import { type ChildProcess, spawn } from 'node:child_process'
import { onTestFinished } from 'vitest'

/** Listens on a unix datagram socket, as systemd does, and prints each datagram with the sender's process id. */
const LISTENER = `
import socket, struct, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(sys.argv[1])
print("ready", flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(4096, 256)
    pid = next(struct.unpack("iII", d)[0] for _, kind, d in ancillary if kind == socket.SCM_CREDENTIALS)
    print(pid, data.decode(), flush=True)
`

/** Somebody who listens on NOTIFY_SOCKET as systemd does; gone after the test. */
export class NotifySocket {
  readonly path: string
  /** What has come: `PID STATE`. */
  readonly told: string[] = []
  readonly #listener: ChildProcess
  readonly #waiting = new Set<() => void>()

  private constructor(path: string) {
    this.path = path
    this.#listener = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let rest = ''
    this.#listener.stdout!.on('data', (text: Buffer) => {
      const lines = (rest + text.toString()).split('\n')
      rest = lines.pop()!
      this.told.push(...lines)
      for (const look of this.#waiting) look()
    })
  }

  static async open(path: string): Promise<NotifySocket> {
    const socket = new NotifySocket(path)
    onTestFinished(() => void socket.#listener.kill('SIGKILL'))
    await socket.until((told) => told[0] === 'ready')
    return socket
  }

  until(isSo: (told: readonly string[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isSo(this.told)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }
}
