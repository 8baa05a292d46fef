import { program } from '../../src/cli/program.ts'
import type { Machine } from '../../src/sim/world/machine.ts'

/** What a command line came to. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** A command that runs on a simulated machine, in a process of its own. */
export class Running {
  readonly result: Promise<Ran>
  private readonly stopping = new AbortController()

  constructor(machine: Machine, line: string, env: Readonly<Record<string, string>> = {}) {
    const out: Buffer[] = []
    let err = ''
    const code = program(line.split(' '), machine.start(), {
      out: async (data) => void out.push(Buffer.from(data)),
      err: (text) => {
        err += text
      },
      outIsTerminal: false,
      errIsTerminal: false,
      input: (async function* () {})(),
      env,
      uid: 1000,
      stop: this.stopping.signal
    })
    this.result = code.then((code) => ({ code, out: Buffer.concat(out).toString(), err }))
  }

  /** SIGTERM. */
  stop(): void {
    this.stopping.abort()
  }
}
