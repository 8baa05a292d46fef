import type { Programs } from '../../world/programs.ts'
import type { Ms } from '../../world/time.ts'
import type { Process } from './process.ts'
import { systemError } from './system-error.ts'

/** A program of a test: what it does with its arguments. Takes time by waiting on a world's timers. */
export type FakeProgram = (args: readonly string[]) => Promise<{ code: number; stdout?: string; stderr?: string }>

/** Runs the machine's fake programs; any other rejects with ENOENT. One that takes too long ends with code 124. */
export class SimulatedPrograms implements Programs {
  readonly #process: Process
  readonly #table: ReadonlyMap<string, FakeProgram>

  constructor(process: Process, table: ReadonlyMap<string, FakeProgram>) {
    this.#process = process
    this.#table = table
  }

  async run(
    command: string,
    args: readonly string[],
    options: { timeoutMs: Ms }
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const program = this.#table.get(command)
    if (!program) return this.#process.io(0, () => raise(systemError('ENOENT', 'spawn', command)))
    const ended = await new Promise<Awaited<ReturnType<FakeProgram>>>((resolve, reject) => {
      const deadline = this.#process.simulation.schedule(options.timeoutMs * 1000, () =>
        this.#process.deliver('input', () => resolve({ code: 124 }))
      )
      program(args)
        .then(
          (result) => this.#process.deliver('input', () => resolve(result)),
          (error) => this.#process.deliver('input', () => reject(error))
        )
        .finally(() => deadline.cancel())
    })
    return { stdout: '', stderr: '', ...ended }
  }
}

function raise(error: Error): never {
  throw error
}
