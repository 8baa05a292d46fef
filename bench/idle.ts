import { setTimeout as pause } from 'node:timers/promises'
import { LoopDisk } from './harness/loop-disk.ts'
import { withFeeder } from './harness/measure.ts'
import { understudy } from './harness/receivers.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const disks = [
  { title: 'ext4', fastCommit: false },
  { title: 'ext4 with `fast_commit`', fastCommit: true }
]

/** What reaches the disk in a day on which twelve streams are heard and nothing arrives: the proof of listening. */
export async function idle(quick: boolean): Promise<void> {
  const seconds = quick ? 20 : 300
  const results = new Results()
  await withFeeder(12, 1, async (feeder) => {
    const running = []
    for (const { title, fastCommit } of disks) {
      const disk = new LoopDisk({ fastCommit, sizeMb: 1024 })
      running.push({ title, disk, receiver: await understudy('tick')(feeder, disk.directory) })
    }
    await pause(10_000)
    const before = running.map(({ disk }) => disk.writtenBytes())
    await pause(seconds * 1000)
    for (const [index, { title, disk, receiver }] of running.entries()) {
      results.add(title, ((disk.writtenBytes() - before[index]!) / seconds) * 86.4e-3, 'MB/day')
      await receiver.stop()
      disk.remove()
    }
  })
  const rows = disks.map(({ title }) => [title, short(results.median(title))])
  const how = `Twelve streams are heard and nothing arrives, for ${seconds} s. The head says every 10 s that they are heard.`
  publish('idle', `## Listening\n\n${how}\n\n${table(['', 'MB a day'], rows)}`, quick)
}
