/**
 * `npm run simulate -- [--seeds N] [--first SEED] [--days D]` lives N lives of D simulated days of the whole appliance;
 * `--seed S` one of them, with its log. A life in which a promise is broken is shrunk and told; then the exit code is 1.
 */
import { parseArgs } from 'node:util'
import { live } from '../test/simulate/life.ts'
import { liveMany } from '../test/simulate/many.ts'
import { DAY_MS } from '../test/simulate/plan.ts'
import { liveSeed } from '../test/simulate/seed.ts'
import { shrink } from '../test/simulate/shrink.ts'
import { STANDING_IN } from '../test/simulate/stand-in-life.ts'
import { tell, tellAll } from '../test/simulate/tell.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    first: { type: 'string', default: '1' },
    days: { type: 'string', default: String(2 / 24) },
    seed: { type: 'string' },
    /** How many broken ones to find before it ends. */
    stop: { type: 'string', default: '1' },
    /** Tells them as they are. */
    'no-shrink': { type: 'boolean', default: false }
  }
})
const days = Number(values.days)

if (values.seed !== undefined) {
  const { log, broken, digest } = await liveSeed(Number(values.seed), days)
  console.log(log.join('\n'))
  console.log(`${broken === undefined ? 'every promise was kept' : `BROKEN: ${broken}`}, log ${digest}`)
  process.exitCode = broken === undefined ? 0 : 1
} else {
  const beganMs = performance.now()
  let lived = 0
  const summary = await liveMany({
    firstSeed: Number(values.first),
    seeds: Number(values.seeds),
    days,
    stopAt: Number(values.stop),
    told: ({ plan, tookMs }) => {
      lived++
      const years = ((lived * plan.lifeMs) / DAY_MS / 365.25).toFixed(2)
      if (process.stderr.isTTY)
        process.stderr.write(`\r${lived} lives, ${years} years; the last took ${tookMs.toFixed(0)} ms `)
    }
  })
  if (process.stderr.isTTY) process.stderr.write('\n')
  const { broken } = summary
  for (const { plan, broken: what = '', log } of broken) {
    // A life at the dashboards has no plan to be shrunk.
    if (values['no-shrink'] || what.startsWith(STANDING_IN)) {
      console.log(`${tell(plan, what, log)}\n`)
      continue
    }
    const smallest = await shrink(plan, async (smaller) => (await live(smaller)).broken !== undefined)
    const life = await live(smallest)
    console.log(`${tell(smallest, life.broken ?? what, life.log)}\n`)
  }
  console.log(tellAll(summary, days, performance.now() - beganMs))
  process.exitCode = broken.length > 0 ? 1 : 0
}
