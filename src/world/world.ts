/**
 * The doors to the outside. Everything that touches the world (clock, timers, randomness, files, LevelDB, sockets,
 * programs, the machine, systemd, threads that compress) is reached through a `World` that is passed in at construction, so that the whole appliance also runs in a
 * simulated world from a seed. `world/real.ts` opens onto the machine, `sim/world/` onto a simulated one.
 */

import type { Derive } from './derive.ts'
import type { Files } from './files.ts'
import type { Host, Supervisor } from './host.ts'
import type { Programs } from './programs.ts'
import type { Sockets } from './sockets.ts'
import type { Stores } from './stores.ts'
import type { Clock, Random, Timers } from './time.ts'
import type { Zstd } from './zstd.ts'

export interface World {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly files: Files
  readonly stores: Stores
  readonly sockets: Sockets
  readonly programs: Programs
  readonly zstd: Zstd
  readonly derive: Derive
  readonly host: Host
  readonly supervisor: Supervisor
}
