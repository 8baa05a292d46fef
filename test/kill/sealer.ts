/**
 * `node sealer.ts DIR [STEP]` seals a day as the journal in DIR has it, which it fills first; at STEP on the way it is
 * killed. Prints the folders of the window.
 */
import { kill, pid } from 'node:process'
import { Captures } from '../../src/captures/captures.ts'
import { realWorld } from '../../src/world/real.ts'
import { openJournal, silent } from '../support/journals.ts'

const [directory = '', stopAt] = process.argv.slice(2)
const dayUs = Date.UTC(2025, 2, 10) * 1000

const world = await realWorld()
const journal = await openJournal(world, directory, { commitIntervalMs: 500, storeBytes: 1e9, storeAgeMs: 1e12 })
if (journal.nextPosition < 1000) {
  for (let number = 0; number < 20_000; number++) {
    const stamp = { wallUs: dayUs + number * 4_000_000, monoUs: number, boot: 'b', source: 'ntp' } as const
    const payload = Buffer.from(JSON.stringify({ user: `student${number % 7}`, number, payload: { log: 'x' } }))
    journal.append({ stream: `spin${30 + (number % 3)}`, payload, binary: false, origin: 'import', stamp })
  }
  await journal.commit()
}
const daily = {
  name: 'daily',
  schedule: '0 0 * * *',
  durationMs: 86_400_000,
  timeZone: 'Etc/UTC',
  streams: [],
  format: 'envelope',
  compression: 'zstd'
} as const
const step = (reached: string): void => {
  if (reached === stopAt) kill(pid, 'SIGKILL')
}
const captures = new Captures(world, journal, { directory, site: 'pi', version: '1', captures: [daily], step }, silent)
const folders = await captures.run('daily', dayUs)
await captures.stop()
await journal.close()
console.log(folders.join('\n'))
