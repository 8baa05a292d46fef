import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../test/support/free-port.ts'
import { allTaken, withDirectory, withFeeder } from './harness/measure.ts'
import { listen, look } from './harness/page.ts'
import { understudy } from './harness/receivers.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const LISTENERS = 50
const PER_SECOND = 240
/** After the last message: for what is committed and told of it. */
const REST_MS = 2000
const alone = 'nobody looks'
const watched = `${LISTENERS} event streams, and the metrics each second`

/** What those who look at the page cost the recorder: one that is running, with and without them in turn. */
export async function page(quick: boolean): Promise<void> {
  const [rounds, seconds] = quick ? [1, 3] : [7, 30]
  const results = new Results()
  await withDirectory((directory) =>
    withFeeder(12, 1, async (feeder) => {
      const port = await freePort()
      const url = `http://127.0.0.1:${port}`
      const receiver = await understudy('tick', port)(feeder, directory)
      let sent = 0
      const fed = async (): Promise<{ cpuShare: number; anonymousBytes: number }> => {
        const go = await feeder.prepare({ kind: 'even', perSecond: PER_SECOND, seconds })
        await pause(REST_MS)
        const [before, beganMs] = [receiver.cpuUs(), performance.now()]
        let anonymousBytes = 0
        const looking = setInterval(() => {
          anonymousBytes = Math.max(anonymousBytes, receiver.memory().anonymousBytes)
        }, 1000)
        sent += (await go()).messages
        await pause(REST_MS)
        const cpuShare = (receiver.cpuUs() - before) / 1000 / (performance.now() - beganMs)
        clearInterval(looking)
        await allTaken(receiver, sent)
        return { cpuShare, anonymousBytes }
      }

      // The first who looks has what answers him loaded, and code that runs often is made faster.
      await look(url)
      const leave = await listen(url, LISTENERS)
      await fed()
      leave()
      await fed()
      for (let round = 0; round < rounds; round++) {
        const ways = [alone, watched]
        const cpu = new Map<string, number>()
        for (const way of round % 2 ? ways.reverse() : ways) {
          const end = way === watched ? await listen(url, LISTENERS) : () => {}
          const { cpuShare, anonymousBytes } = await fed()
          end()
          cpu.set(way, cpuShare)
          results.add(`${way}: CPU`, cpuShare * 100, '% of a core')
          results.add(`${way}: memory`, anonymousBytes / 1e6, 'MB')
        }
        results.add('ratio', cpu.get(watched)! / cpu.get(alone)!, '×')
      }
      await receiver.stop()
    })
  )
  const cells = (way: string): string[] => [
    short(results.median(`${way}: CPU`)),
    short(results.median(`${way}: memory`))
  ]
  const rows = [
    [alone, ...cells(alone)],
    [watched, ...cells(watched)],
    ['ratio, of each pair', `${results.median('ratio').toFixed(2)} ×`, '']
  ]
  const how = `One recorder at 12 × 20/s, ${rounds} times ${seconds} s with listeners and without them in turn. Every message is stored.`
  const head = ['', 'CPU, % of a core', 'highest anonymous, MB']
  publish('page', `## Who looks at the page\n\n${how}\n\n${table(head, rows)}`, quick)
}
