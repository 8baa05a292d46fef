import type { Ms } from './time.ts'

/** How the kernel steers its clock (adjtimex). */
export interface ClockSteering {
  /** Whether it says that it is synchronised. */
  readonly synchronised: boolean
  /** How much it corrects the oscillator's speed, in ppm. */
  readonly driftPpm: number
  /** The most that the time can be wrong by, as it reckons. */
  readonly maxErrorMs: Ms
}

/** What a machine says of itself besides the kernel's files, which never rejects, and whom a process acts for on it. */
export interface Host {
  /** Cheap. `undefined` where the kernel does not say. */
  steering(): Promise<ClockSteering | undefined>
  /** Costs tens of ms: to be asked where the kernel's files say nothing, and rarely. */
  inquire(): Promise<{ readonly model?: string; readonly temperatureC?: number }>
  /** The IP addresses that others reach it by, those of the interfaces that are up. Cheap. */
  addresses(): Promise<ReadonlyArray<{ readonly interface: string; readonly address: string }>>
  /**
   * Where root runs this process and somebody else owns the folder, it acts as that user, in the folder's group alone, from
   * now on and for good: what it makes is theirs, and it may do no more than they.
   * @returns the user's id; `undefined` where nothing changes
   * @throws as Node does, where the system does not let it
   */
  actAsOwnerOf(folder: string): Promise<number | undefined>
}

/** Who started this process and watches it: systemd, where it is of Type=notify. */
export interface Supervisor {
  /** Without `WATCHDOG=1` for so long it ends the process; absent where it does not watch. */
  readonly watchdogMs: Ms | undefined
  /** Tells it lines as of sd_notify(3), `READY=1` say. Does nothing where nobody listens; never rejects. */
  tell(state: string): Promise<void>
}
