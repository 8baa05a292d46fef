/**
 * Fills a journal for a bench, says how many bytes of messages went in, and waits to be killed.
 *
 *     fill.ts month MESSAGES DIRECTORY      thirty days of twelve streams, an equal burst of 240/s each day
 *     fill.ts incompressible MB DIRECTORY   random bytes, so that they fill as much of the disk
 */
import { randomBytes } from 'node:crypto'
import { dayUs, openJournal } from './harness/journal.ts'
import { inTurn, spinners } from './messages.ts'

const [kind, amount, directory] = process.argv.slice(2)
const streams = spinners(12)
const clock = { nowUs: dayUs(0) }
const journal = await openJournal(directory!, clock)
let bytes = 0

function append(stream: number, payload: Buffer): void {
  journal.append({ stream: streams[stream]!, payload, binary: false, origin: 'relay' })
  bytes += payload.length
}

if (kind === 'month') {
  const count = Number(amount)
  let done = 0
  for (const [stream, payload] of inTurn({ seed: 1, streams, count })) {
    const [day, second] = [Math.floor((done / count) * 30), (done % (count / 30)) / 240]
    clock.nowUs = Math.floor(dayUs(day) + 12 * 3600e6 + second * 1e6)
    append(stream, payload)
    // What a commit interval of 500 ms holds.
    if (++done % 120 === 0) await journal.commit()
  }
} else {
  while (bytes < Number(amount) * 1e6) {
    for (let stream = 0; stream < streams.length; stream++) append(stream, randomBytes(16_384))
    clock.nowUs += 500_000
    await journal.commit()
  }
}
await journal.commit()
console.log(bytes)
setInterval(() => undefined, 60_000)
