import { realClock } from './real/clock.ts'
import { realDerive } from './real/derive.ts'
import { realFiles } from './real/files.ts'
import { realHost } from './real/host.ts'
import { request } from './real/http.ts'
import { listen } from './real/listen.ts'
import { askLocal, serveLocal } from './real/local.ts'
import { realPrograms } from './real/programs.ts'
import { realRandom } from './real/random.ts'
import { serve } from './real/server.ts'
import { realStores } from './real/stores.ts'
import { realSupervisor } from './real/supervisor.ts'
import { realTimers } from './real/timers.ts'
import { connect } from './real/websocket.ts'
import { realZstd } from './real/zstd.ts'
import type { World } from './world.ts'

/** The doors onto this machine. */
export async function realWorld(): Promise<World> {
  return {
    clock: await realClock(realPrograms),
    timers: realTimers,
    random: realRandom,
    files: realFiles,
    stores: realStores,
    sockets: { request, serve, listen, connect, serveLocal, askLocal },
    programs: realPrograms,
    zstd: realZstd,
    derive: realDerive,
    host: realHost(),
    supervisor: realSupervisor()
  }
}
