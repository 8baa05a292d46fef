import { setTimeout as pause } from 'node:timers/promises'
import type { Feed } from './feeder.ts'
import { allTaken, withDirectory, withFeeder } from './harness/measure.ts'
import { bare, floor, python, type Start, understudy } from './harness/receivers.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

/** CPU time in µs a message, after a warm-up with the same kind of feed. */
function cpuPerMessage(begin: Start, seed: number, warmUp: Feed, feed: Feed): Promise<number> {
  return withDirectory((directory) =>
    withFeeder(12, seed, async (feeder) => {
      const receiver = await begin(feeder, directory)
      const warmed = await (await feeder.prepare(warmUp))()
      await allTaken(receiver, warmed.messages)
      const go = await feeder.prepare(feed)
      await pause(1000)
      const before = receiver.cpuUs()
      const fed = await go()
      // Asking costs the asked one some CPU: when it can be known how long the last message takes, we ask afterwards.
      if (feed.kind === 'saturate') await allTaken(receiver, warmed.messages + fed.messages)
      else await pause(1500)
      const cpu = receiver.cpuUs() - before
      await allTaken(receiver, warmed.messages + fed.messages)
      await receiver.stop()
      return cpu / fed.messages
    })
  )
}

const receivers: ReadonlyArray<readonly [string, Start]> = [
  ['the primary, in Python', python],
  ['Understudy, on the tick', understudy('tick')],
  ['Understudy, every stream live', understudy('live')],
  ['bare `ws`, parsing', bare],
  ['the floor: `ws`, a preallocated file', floor]
]

/** CPU per message of Understudy and its peers: at a steady pace, and as fast as each takes them. */
export async function receive(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 3
  const even = (seconds: number): Feed => ({ kind: 'even', perSecond: 240, seconds })
  const saturate = (messages: number): Feed => ({ kind: 'saturate', messages })
  const feeds: Array<readonly [string, Feed, Feed]> = [
    ['12 × 20/s', even(quick ? 1 : 5), even(quick ? 3 : 20)],
    ['saturated', saturate(quick ? 6_000 : 60_000), saturate(quick ? 24_000 : 240_000)]
  ]

  const results = new Results()
  for (let round = 1; round <= rounds; round++) {
    for (const [pace, warmUp, feed] of feeds) {
      for (const [name, begin] of receivers) {
        results.add(`${pace}, ${name}`, await cpuPerMessage(begin, round, warmUp, feed), 'µs')
      }
    }
  }

  const [peer] = receivers[0]!
  const cells = (name: string): string[] =>
    feeds.flatMap(([pace]) => {
      const cpu = results.median(`${pace}, ${name}`)
      return [short(cpu), `${short(results.median(`${pace}, ${peer}`) / cpu)} ×`]
    })
  const head = ['', ...feeds.flatMap(([pace]) => [`${pace}: CPU µs a message`, 'less than the primary'])]
  const rows = receivers.map(([name]) => [name, ...cells(name)])
  const text = `## Receiving\n\nMedians of ${rounds} rounds, the receivers in turn.\n\n${table(head, rows)}`
  publish('receive', text, quick)
}
