import type { Programs, RunOptions } from '../../world/programs.ts'
import type { World } from '../../world/world.ts'
import type { Process } from './process.ts'
import { systemError } from './system-error.ts'

/** What a program of a test may use of where it runs. */
interface FakeSurroundings {
  /** The doors of the process that runs it. */
  readonly world: World
  readonly onOutput: (text: string) => void
}

/** A program of a test: what it does with its arguments. Takes time by waiting on a world's timers. */
export type FakeProgram = (
  args: readonly string[],
  around: FakeSurroundings
) => Promise<{ code: number; stdout?: string; stderr?: string }>

/**
 * Runs the machine's fake programs; any other rejects with ENOENT. One that takes too long, or is not wanted any more,
 * ends with code -1.
 */
export class SimulatedPrograms implements Programs {
  readonly #process: Process
  readonly #table: ReadonlyMap<string, FakeProgram>
  readonly #world: () => World

  constructor(process: Process, table: ReadonlyMap<string, FakeProgram>, world: () => World) {
    this.#process = process
    this.#table = table
    this.#world = world
  }

  async run(
    command: string,
    args: readonly string[],
    { timeoutMs, signal, onOutput = () => {} }: RunOptions
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const program = this.#table.get(command)
    if (!program) return this.#process.io(0, () => raise(systemError('ENOENT', 'spawn', command)))
    const ended = await new Promise<Awaited<ReturnType<FakeProgram>>>((resolve, reject) => {
      const end = (): void => this.#process.deliver('input', () => resolve({ code: -1 }))
      const deadline = this.#process.simulation.schedule(timeoutMs * 1000, end)
      signal?.addEventListener('abort', end)
      if (signal?.aborted) end()
      program(args, { world: this.#world(), onOutput })
        .then(
          (result) => this.#process.deliver('input', () => resolve(result)),
          (error) => this.#process.deliver('input', () => reject(error))
        )
        .finally(() => {
          deadline.cancel()
          signal?.removeEventListener('abort', end)
        })
    })
    return { stdout: '', stderr: '', ...ended }
  }
}

function raise(error: Error): never {
  throw error
}
