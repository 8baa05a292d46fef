/**
 * `day.ts MESSAGES` prints a day of twelve streams, evenly, as lines with envelope: what `understudy import` takes.
 */
import { once } from 'node:events'
import { stdout } from 'node:process'
import { envelope } from '../src/captures/formats/envelope.ts'
import { JsonLines } from '../src/captures/formats/json-lines.ts'
import { dayUs } from './harness/journal.ts'
import { inTurn, spinners } from './messages.ts'

const count = Number(process.argv[2])
const streams = spinners(12)
const lines = new JsonLines()
let position = 0

async function print(): Promise<void> {
  if (!stdout.write(Buffer.from(lines.view()))) await once(stdout, 'drain')
  lines.clear()
}

for (const [stream, payload] of inTurn({ seed: 1, streams, count })) {
  const wallUs = Math.floor(dayUs(position / count))
  const monoUs = wallUs - dayUs(-1)
  const seq = Math.floor(position / streams.length) + 1
  const stamp = { wallUs, monoUs, boot: 'a-boot-of-the-bench', source: 'ntp', origin: 'relay', binary: false } as const
  envelope({ kind: 'frame', position: ++position, stream: streams[stream]!, seq, payload, ...stamp }, lines, lines)
  if (lines.length > 1 << 20) await print()
}
await print()
