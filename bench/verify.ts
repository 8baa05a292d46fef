import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { withDirectory } from './harness/measure.ts'
import { bench, sizeBytes } from './harness/place.ts'
import { runToEnd, seconds, start, stop } from './harness/programs.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const program = bench('../bin/understudy.js')
/** Of a message, on average. */
const MESSAGE_BYTES = 230

/** Proving a journal, beside hashing its messages as plain files. */
export async function verify(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 3
  const megabytes = quick ? 20 : 1000
  const results = new Results()
  await withDirectory(async (directory) => {
    const [data, plain] = [join(directory, 'data'), join(directory, 'plain')]
    const child = start(process.execPath, [bench('fill.ts'), 'month', String((megabytes * 1e6) / MESSAGE_BYTES), data])
    await once(child.stdout, 'data')
    await stop(child, 'SIGKILL')
    execFileSync(process.execPath, [program, 'export', '--raw', '--data', data, '--out', plain])
    const files = readdirSync(plain).map((name) => join(plain, name))
    results.add('size', sizeBytes(plain) / 1e6, 'MB')
    for (let round = 0; round < rounds; round++) {
      const hashing = await seconds(() => execFileSync('sha256sum', files))
      const proving = await seconds(async () =>
        results.add('memory', (await runToEnd(program, ['verify', '--data', data])) / 1e6, 'MB')
      )
      results.add('sha256sum', hashing, 's')
      results.add('verify', proving, 's')
      results.add('ratio', proving / hashing, '')
    }
  })
  const row = (name: string, title: string, unit: string): string[] => [title, `${short(results.median(name))} ${unit}`]
  const rows = [
    row('sha256sum', '`sha256sum` of the messages as plain files', 's'),
    row('verify', '`understudy verify` of the journal', 's'),
    row('ratio', 'ratio, of each pair', ''),
    row('memory', 'its highest anonymous memory', 'MB')
  ]
  const how = `${short(results.median('size'))} MB of messages, ${rounds} rounds in turn. Medians.`
  publish('verify', `## Proving\n\n${how}\n\n${table(['', ''], rows)}`, quick)
}
