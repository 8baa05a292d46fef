import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

/**
 * Asks for events and reads none of them, with windows as small as a phone's behind a bad link: Node cannot make them so.
 * Told to on its standard input it reads what had come, and prints how much that was for each.
 */
const PROGRAM = `
import socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
sockets = []
for _ in range(count):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    s.connect(('127.0.0.1', port))
    s.sendall(b'GET /api/events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')
    sockets.append(s)
print('stuck', flush=True)
sys.stdin.readline()
def drain(s):
    taken = 0
    try:
        while chunk := s.recv(65536):
            taken += len(chunk)
    except ConnectionError:
        pass
    return taken
print(*map(drain, sockets), flush=True)
`

/** So many who listen and read nothing. */
export class Stuck {
  readonly #ask: () => Promise<string>

  private constructor(ask: () => Promise<string>) {
    this.#ask = ask
  }

  static async join(port: number, count: number): Promise<Stuck> {
    const child = spawn('python3', ['-c', PROGRAM, String(port), String(count)], { stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })
    await once(lines, 'line')
    return new Stuck(async () => {
      const told = once(lines, 'line')
      child.stdin.write('\n')
      return (await told)[0] as string
    })
  }

  /** Lets each read what had come for it to its end; gives how many bytes that was. */
  async drained(): Promise<number[]> {
    return (await this.#ask()).split(' ').map(Number)
  }
}
