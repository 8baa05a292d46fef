/**
 * `seal-day.ts DIRECTORY` seals the day that fill.ts has put into a journal, and prints its highest anonymous memory in
 * bytes.
 */
import { pid } from 'node:process'
import { Captures } from '../src/captures/captures.ts'
import { dayUs, log, openJournal, worldAt } from './harness/journal.ts'
import { memory } from './harness/proc.ts'

const directory = process.argv[2]!
const clock = { nowUs: dayUs(1) + 600e6 }
const journal = await openJournal(directory, clock)
const daily = {
  name: 'daily',
  schedule: '0 0 * * *',
  durationMs: 86_400_000,
  timeZone: 'Etc/UTC',
  streams: [],
  format: 'envelope',
  compression: 'zstd'
} as const
const options = { directory, site: 'bench', version: 'bench', captures: [daily] }
const captures = new Captures(await worldAt(clock), journal, options, log)
let highestBytes = 0
// Asking costs some ms: ten times a second.
let askedMs = 0
const folders = await captures.run('daily', dayUs(0.5), () => {
  if (performance.now() - askedMs < 100) return
  askedMs = performance.now()
  highestBytes = Math.max(highestBytes, memory(pid).anonymousBytes)
})
if (folders.length !== 1) throw new Error(`sealed ${folders.length} folders`)
console.log(highestBytes)
await captures.stop()
await journal.close()
