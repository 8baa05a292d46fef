import { setTimeout as pause } from 'node:timers/promises'
import type { Feed } from './feeder.ts'
import { allTaken, withDirectory, withFeeder } from './harness/measure.ts'
import { python, type Start, understudy } from './harness/receivers.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const receivers: ReadonlyArray<readonly [string, Start]> = [
  ['the primary, in Python', python],
  ['Understudy', understudy('tick')]
]

const kinds = ['anonymous', 'RSS', 'PSS'] as const

/** Feeds `begin` at 20/s a stream and looks at its memory every second: the greatest of the second half. */
function measure(name: string, begin: Start, streams: number, seconds: number, results: Results): Promise<void> {
  return withDirectory((directory) =>
    withFeeder(streams, 1, async (feeder) => {
      const receiver = await begin(feeder, directory)
      const feed: Feed = { kind: 'even', perSecond: streams * 20, seconds }
      const fed = (await feeder.prepare(feed))()
      const greatest = { anonymous: 0, RSS: 0, PSS: 0 }
      await pause((seconds / 2) * 1000)
      for (let at = seconds / 2; at < seconds; at++) {
        const now = receiver.memory()
        greatest.anonymous = Math.max(greatest.anonymous, now.anonymousBytes)
        greatest.RSS = Math.max(greatest.RSS, now.rssBytes)
        greatest.PSS = Math.max(greatest.PSS, now.pssBytes)
        await pause(1000)
      }
      await allTaken(receiver, (await fed).messages)
      for (const kind of kinds) results.add(`${streams} streams, ${name}, ${kind}`, greatest[kind] / 1e6, 'MB')
      await receiver.stop()
    })
  )
}

/** Memory of `run` as shipped and of the Python peer, while recording. */
export async function memory(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 3
  const seconds = quick ? 6 : 90
  const sizes = [12, 100]
  const results = new Results()
  for (let round = 1; round <= rounds; round++) {
    for (const streams of sizes) {
      for (const [name, begin] of receivers) await measure(name, begin, streams, seconds, results)
    }
  }
  const rows = sizes.flatMap((streams) =>
    receivers.map(([name]) => [
      `${name}, ${streams} streams`,
      ...kinds.map((kind) => short(results.median(`${streams} streams, ${name}, ${kind}`)))
    ])
  )
  const head = ['', ...kinds.map((kind) => `${kind}, MB`)]
  const how = `Each stream at 20/s, the greatest of the second half of ${seconds} s; medians of ${rounds} rounds.`
  publish(
    'memory',
    `## Memory\n\n${how} The Python peer is one process a stream, summed up.\n\n${table(head, rows)}`,
    quick
  )
}
