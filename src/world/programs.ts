import type { Ms } from './time.ts'

export interface Programs {
  /** Runs a program to its end, without a shell. Never rejects for its exit code; rejects when it can't be started. */
  run(
    command: string,
    args: readonly string[],
    options: { timeoutMs: Ms }
  ): Promise<{ code: number; stdout: string; stderr: string }>
}
