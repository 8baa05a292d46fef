import type { PacedFeed } from './feeder.ts'
import { LoopDisk } from './harness/loop-disk.ts'
import { allTaken, withFeeder } from './harness/measure.ts'
import { sizeBytes } from './harness/place.ts'
import { floor, python, type Start, understudy } from './harness/receivers.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const writers: ReadonlyArray<readonly [string, Start]> = [
  ['the primary, in Python (never syncs)', python],
  ['Understudy', understudy('tick')],
  ['the floor: a preallocated file', floor]
]

const disks = [
  { title: 'ext4', fastCommit: false },
  { title: 'ext4 with `fast_commit`', fastCommit: true }
]

/** Feeds every writer on a disk of each kind at the same time; what start-up writes is not counted. */
function measure(pace: string, seed: number, feed: PacedFeed, results: Results): Promise<void> {
  return withFeeder(12, seed, async (feeder) => {
    const running = []
    for (const { title, fastCommit } of disks) {
      for (const [name, begin] of writers) {
        const disk = new LoopDisk({ fastCommit, sizeMb: 1024 })
        const receiver = await begin(feeder, disk.directory)
        running.push({ key: `${pace}, ${title}, ${name}`, disk, receiver })
      }
    }
    const go = await feeder.prepare(feed)
    const before = running.map(({ disk }) => ({ written: disk.writtenBytes(), stored: sizeBytes(disk.directory) }))
    const { messages, bytes } = await go()
    for (const [index, { key, disk, receiver }] of running.entries()) {
      await allTaken(receiver, messages)
      const written = disk.writtenBytes() - before[index]!.written
      results.add(`${key}, written`, written / bytes, 'device bytes a byte')
      results.add(`${key}, daily`, (written / feed.seconds) * 86.4e-3, 'MB/day')
      results.add(`${key}, stored`, (sizeBytes(disk.directory) - before[index]!.stored) / bytes, 'of the messages')
      await receiver.stop()
      disk.remove()
    }
  })
}

/** Bytes that reach the disk, the file system's own journal included, for each byte of message. Needs root. */
export async function store(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 3
  const seconds = quick ? 10 : 300
  const paces: Array<{ pace: string; feed: PacedFeed }> = [
    { pace: '12 × 20/s', feed: { kind: 'even', perSecond: 240, seconds } },
    { pace: "a person's pace, 3/s over all", feed: { kind: 'random', perSecond: 3, seconds } }
  ]

  const results = new Results()
  for (let round = 1; round <= rounds; round++) {
    await Promise.all(paces.map(({ pace, feed }) => measure(pace, round, feed, results)))
  }

  const sections = paces.map(({ pace }) => {
    const rows = disks.flatMap(({ title }) =>
      writers.map(([name]) => {
        const of = (what: string): string => short(results.median(`${pace}, ${title}, ${name}, ${what}`))
        return [`${name}, ${title}`, of('written'), of('daily'), of('stored')]
      })
    )
    const head = ['', 'device bytes a byte of message', 'MB a day', 'stored bytes a byte of message']
    return `### At ${pace}\n\n${table(head, rows)}`
  })
  const introduction = `Medians of ${rounds} rounds of ${seconds} s, on loop-mounted disks, all writers fed at once.`
  publish('store', `## Writing\n\n${introduction}\n\n${sections.join('\n\n')}`, quick)
}
