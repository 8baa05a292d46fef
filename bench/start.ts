import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withDirectory, withFeeder } from './harness/measure.ts'
import { bench, sizeBytes } from './harness/place.ts'
import { python, type Start, understudy } from './harness/receivers.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const STREAMS = 12
const project = fileURLToPath(new URL('..', import.meta.url))

/** From a program's start until it has all streams, and its memory then: as shipped in the image, from a checkout, and the peer. */
export async function start(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 9
  const results = new Results()
  let bundleBytes = 0
  // Not to be counted: it may have to fetch what the peer needs.
  execFileSync(bench('peer/primary-setup.sh'), { stdio: 'inherit' })
  await withDirectory(async (place) => {
    const bundle = join(place, 'bundle')
    // npm keeps what it has compiled in the folder for temporary files, and leaves it there.
    const env = { ...process.env, TMPDIR: place }
    execFileSync(process.execPath, [join(project, 'scripts/bundle.mjs'), bundle], { stdio: 'inherit', env })
    bundleBytes = sizeBytes(bundle)
    const ways: Array<readonly [string, Start]> = [
      ['the primary, in Python', python],
      ['Understudy from a checkout', understudy('tick', 8088, join(project, 'bin/understudy.js'))],
      ['Understudy as shipped', understudy('tick', 8088, join(bundle, 'bin/understudy.js'))]
    ]
    for (let round = 0; round < rounds; round++) {
      for (const [way, begin] of round % 2 ? ways.toReversed() : ways) await measure(way, begin, results)
    }
  })
  const names = ['the primary, in Python', 'Understudy from a checkout', 'Understudy as shipped']
  const rows = names.map((name) => [
    name,
    short(results.median(`${name}: start`)),
    short(results.median(`${name}: CPU`)),
    short(results.median(`${name}: memory`))
  ])
  const how = `From the program's start until it has all ${STREAMS} streams, with an empty folder, and its memory then; medians of ${rounds}. The Python peer is one process a stream, all begun at once. What is shipped takes ${short(bundleBytes / 1e6)} MB, its own Node among it.`
  publish('start', `## Starting\n\n${how}\n\n${table(['', 's', 'CPU, s', 'anonymous, MB'], rows)}`, quick)
}

function measure(way: string, begin: Start, results: Results): Promise<void> {
  return withDirectory((directory) =>
    withFeeder(STREAMS, 1, async (feeder) => {
      const before = performance.now()
      const receiver = await begin(feeder, directory)
      results.add(`${way}: start`, (performance.now() - before) / 1000, 's')
      results.add(`${way}: CPU`, receiver.cpuUs() / 1e6, 's')
      results.add(`${way}: memory`, receiver.memory().anonymousBytes / 1e6, 'MB')
      await receiver.stop()
    })
  )
}
