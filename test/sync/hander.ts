/**
 * `node hander.ts CONFIG [STEP]` takes a day from due to handed over and removed: seals it as the journal has it, which
 * it fills first, hands it over, and removes it, being old, once it is confirmed. At STEP on the way it is killed.
 */
import { kill, pid } from 'node:process'
import { ServedJournal } from '../../src/cli/served-journal.ts'
import { loadConfig } from '../../src/config/load.ts'
import { realWorld } from '../../src/world/real.ts'
import { sleep, type Timer } from '../../src/world/time.ts'

const [file = '', stopAt] = process.argv.slice(2)
const dayUs = Date.UTC(2025, 2, 10) * 1000
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

const real = await realWorld()
// What is looked after every minute is looked after at once.
const every = (ms: number, run: () => void): Timer => real.timers.every(ms === 60_000 ? 100 : ms, run)
const world = { ...real, timers: { ...real.timers, every } }
const config = await loadConfig(world, { file, flags: {}, environment: {} })
const step = (reached: string): void => {
  if (reached === stopAt) kill(pid, 'SIGKILL')
}
const options = { config, user: { env: {}, uid: 0 }, reserveBytes: 0, step }
const served = await ServedJournal.open(world, options, () => ({ streams: [], problems: [] }), quiet)
const { journal, captures, sync } = served
if (journal.nextPosition < 100) {
  for (let number = 0; number < 300; number++) {
    const stamp = { wallUs: dayUs + number * 100_000_000, monoUs: number, boot: 'b', source: 'ntp' } as const
    const payload = Buffer.from(JSON.stringify({ number, payload: { log: 'x' } }))
    journal.append({ stream: `spin${30 + (number % 3)}`, payload, binary: false, origin: 'import', stamp })
  }
  await journal.commit()
}
await captures.run('daily', dayUs)
await sync.run()
sync.start()
const record = `${config.data.directory}/sync/handed/daily/2025-03-10.json`
while (!(await world.files.readFile(record)).includes('"removed"')) await sleep(world.timers, 20)
await served.close()
