import type { Ms } from './time.ts'

export interface RunOptions {
  readonly timeoutMs: Ms
  /** Aborted, the program is killed, as at the end of its time. */
  readonly signal?: AbortSignal
  /** What it writes to standard output, piece by piece as it comes. */
  readonly onOutput?: (text: string) => void
}

export interface Programs {
  /** Runs a program to its end, without a shell. Never rejects for its exit code; rejects when it can't be started. */
  run(
    command: string,
    args: readonly string[],
    options: RunOptions
  ): Promise<{ code: number; stdout: string; stderr: string }>
}
