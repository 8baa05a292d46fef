import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../test/support/free-port.ts'
import { withDirectory, withFeeder } from './harness/measure.ts'
import { look } from './harness/page.ts'
import { type Receiver, understudy } from './harness/receivers.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const without = 'without the page'
const once = 'with the page, looked at once'
const variants = [without, 'with the page', once]

/** What the page costs while nobody looks: recorders with and without it side by side, started in another order each round. */
export async function idlePage(quick: boolean): Promise<void> {
  const [rounds, settleMs, seconds] = quick ? [1, 3000, 3] : [5, 20_000, 60]
  const results = new Results()
  for (let round = 0; round < rounds; round++) {
    const order = variants.map((_, index) => variants[(index + round) % variants.length]!)
    const costs = await idling(order, settleMs, seconds)
    const { cpu, memory } = costs.get(without)!
    for (const [variant, cost] of costs) {
      results.add(`${variant}: CPU`, cost.cpu, '% of a core')
      results.add(`${variant}: memory`, cost.memory, 'MB')
      results.add(`${variant}: more CPU`, cost.cpu - cpu, '% of a core')
      results.add(`${variant}: more memory`, cost.memory - memory, 'MB')
    }
  }
  const row = (variant: string): string[] => {
    const median = (what: string): number => results.median(`${variant}: ${what}`)
    const [cpu, memory] = [median('CPU'), median('memory')].map(short) as [string, string]
    if (variant === without) return [variant, cpu, '', memory, '']
    return [variant, cpu, median('more CPU').toFixed(3), memory, median('more memory').toFixed(1)]
  }
  const head = ['', 'CPU, % of a core', 'more', 'anonymous, MB', 'more']
  const how = `Recorders that hear twelve streams on which nothing comes, side by side for ${seconds} s. Medians of ${rounds} rounds.`
  publish('idle-page', `## A page nobody looks at\n\n${how}\n\n${table(head, variants.map(row))}`, quick)
}

interface Cost {
  /** % of a core. */
  readonly cpu: number
  /** Anonymous, in MB. */
  readonly memory: number
}

/** Starts a recorder for each variant, and measures them all over the same time. */
function idling(order: readonly string[], settleMs: number, seconds: number): Promise<Map<string, Cost>> {
  return withDirectory((directory) =>
    withFeeder(12, 1, async (feeder) => {
      const running = new Map<string, Receiver>()
      for (const [index, variant] of order.entries()) {
        const place = join(directory, String(index))
        mkdirSync(place)
        const port = variant === without ? 0 : await freePort()
        running.set(variant, await understudy('tick', port)(feeder, place))
        if (variant === once) await look(`http://127.0.0.1:${port}/`)
      }
      await pause(settleMs)
      const before = [...running.values()].map((receiver) => receiver.cpuUs())
      await pause(seconds * 1000)
      const costs = [...running].map(([variant, receiver], index): [string, Cost] => {
        const cpu = (receiver.cpuUs() - before[index]!) / seconds / 1e4
        return [variant, { cpu, memory: receiver.memory().anonymousBytes / 1e6 }]
      })
      for (const receiver of running.values()) await receiver.stop()
      return new Map(costs)
    })
  )
}
