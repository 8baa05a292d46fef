/** Milliseconds; an instant when it counts from 1970, else a duration. */
export type Ms = number
/** Microseconds; an instant when it counts from 1970 (wall) or from the boot (monotonic). Exact up to the year 2255. */
export type Us = number

export interface Clock {
  /** This boot's id (a UUID), the same for every process until the machine restarts. */
  readonly boot: string
  /** Wall time in µs since 1970, as the system believes it; may step either way. */
  wallUs(): Us
  /** Monotonic time in µs since some point of this boot; never steps; comparable between processes of one boot. */
  monoUs(): Us
  /** Whether the kernel's clock says it is synchronised (adjtimex without STA_UNSYNC). Never rejects; unknown is false. */
  synchronised(): Promise<boolean>
}

export interface Timer {
  cancel(): void
}

export interface Timers {
  /** Calls `run` once, `ms` from now. */
  after(ms: Ms, run: () => void): Timer
  /** Calls `run` every `ms`, never twice to catch up. */
  every(ms: Ms, run: () => void): Timer
  /**
   * Calls `run` about when a cron expression of five fields says, by the system's clock and zone. It only ticks: a call may
   * be late, and may be left out where the clock changes or the machine was busy or asleep.
   */
  cron(expression: string, run: () => void): Timer
  /** Calls `run` once, after input that is ready now has been delivered. */
  afterInput(run: () => void): void
}

export interface Random {
  /** `count` bytes fit for salts and secrets. */
  bytes(count: number): Buffer
  /** A number in [0, 1), for jitter. */
  fraction(): number
}

/**
 * Resolves `ms` from now, at once when `signal` is aborted; it never rejects.
 */
export function sleep(timers: Timers, ms: Ms, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = (): void => {
      timer.cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = timers.after(ms, done)
    signal?.addEventListener('abort', done)
  })
}
