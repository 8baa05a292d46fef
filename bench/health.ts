import { setTimeout as pause } from 'node:timers/promises'
import { validate } from '../src/config/validate.ts'
import { Health } from '../src/health/health.ts'
import type { Rooms } from '../src/health/rooms.ts'
import { realWorld } from '../src/world/real.ts'
import { withDirectory } from './harness/measure.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

/** Long enough for the first survey, which asks more than the later ones. */
const BEGIN_MS = 5000

/** What it costs to look how everything stands: this process does nothing else. */
export async function health(quick: boolean): Promise<void> {
  const seconds = quick ? 6 : 300
  const results = new Results()
  await withDirectory(async (directory) => {
    const checked = validate({ data: { directory } })
    if ('faults' in checked) throw new Error('the config is not valid')
    const world = await realWorld()
    const nothing = (): void => {}
    const log = { debug: nothing, info: nothing, warn: nothing, error: nothing }
    const streams = Array.from({ length: 12 }, (_, index) => `spin${30 + index}`)
    const rooms: Rooms = {
      streams: () => {
        const [sinceUs, lastUs] = [world.clock.monoUs(), world.clock.wallUs()]
        return streams.map((stream) => ({ stream, heard: true, sinceUs, frames: 1, lastUs, spoke: true }))
      },
      problems: () => [],
      journal: () => {
        const nowUs = world.clock.wallUs()
        return { open: true, pendingBytes: 0, pendingMs: 0, nowUs, source: 'ntp', damaged: [] }
      },
      captures: () => undefined,
      sync: () => undefined
    }
    const looking = new Health(world, checked.config, 'bench', rooms, log)
    looking.start()
    await pause(BEGIN_MS)
    const cpu = process.cpuUsage()
    const beganMs = performance.now()
    await pause(seconds * 1000)
    const { user, system } = process.cpuUsage(cpu)
    results.add('CPU', ((user + system) / 1000 / (performance.now() - beganMs)) * 100, '% of a core')
    await looking.stop()
  })
  const rows = [['looking how everything stands', short(results.median('CPU'))]]
  const how = `Twelve streams, a look every 2 s, the machine once a minute, for ${seconds} s.`
  publish('health', `## Health\n\n${how}\n\n${table(['', 'CPU, % of a core'], rows)}`, quick)
}
