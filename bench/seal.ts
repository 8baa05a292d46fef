import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { capturesPath } from '../src/captures/sealed.ts'
import { withDirectory } from './harness/measure.ts'
import { bench, sizeBytes } from './harness/place.ts'
import { start, stop } from './harness/programs.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const program = bench('../bin/understudy.js')

/** Sealing a day of twelve streams at 20/s, beside rewriting its messages with stock programs. */
export async function seal(quick: boolean): Promise<void> {
  const count = quick ? 60_000 : 12 * 20 * 86_400
  const results = new Results()
  await withDirectory(async (directory) => {
    const [data, plain] = [join(directory, 'data'), join(directory, 'plain')]
    const child = start(process.execPath, [bench('fill.ts'), 'day', String(count), data])
    await once(child.stdout, 'data')
    await stop(child, 'SIGKILL')
    execFileSync(process.execPath, [program, 'export', '--raw', '--data', data, '--out', plain])
    results.add('size', sizeBytes(plain) / 1e6, 'MB')
    execFileSync('sh', ['-c', `gzip -1 ${plain}/*.jsonl`])
    for (let round = 0; round < (quick ? 1 : 3); round++) {
      // It is sealed once only: each round has a journal of its own.
      const own = join(directory, 'own')
      cpSync(data, own, { recursive: true })
      const rewriting = seconds(() =>
        execFileSync('sh', ['-c', `zcat ${plain}/*.gz | jq -c . | zstd -q >${directory}/peer`])
      )
      const sealing = seconds(() => {
        // As bin/understudy.js has it.
        const printed = execFileSync(process.execPath, ['--max-semi-space-size=1', bench('seal-day.ts'), own])
        results.add('memory', Number(printed) / 1e6, 'MB')
      })
      const manifest = join(capturesPath(own), 'daily/2026-01-05/manifest.json')
      const { streams } = JSON.parse(readFileSync(manifest, 'utf8')) as { streams: Array<{ messages: number }> }
      const sealed = streams.reduce((sum, { messages }) => sum + messages, 0)
      if (sealed !== count) throw new Error(`${sealed} of ${count} messages are sealed`)
      results.add('peer', rewriting, 's')
      results.add('seal', sealing, 's')
      results.add('ratio', rewriting / sealing, '')
      rmSync(own, { recursive: true })
    }
  })
  const row = (name: string, title: string, unit: string): string[] => [title, `${short(results.median(name))} ${unit}`]
  const rows = [
    row('peer', '`zcat \\| jq -c . \\| zstd` of the same messages', 's'),
    row('seal', 'sealing the day, reading back included', 's'),
    row('ratio', 'how much faster, of each pair', ''),
    row('memory', 'its highest anonymous memory', 'MB')
  ]
  const how = `${count} messages of twelve streams, ${short(results.median('size'))} MB. Medians.`
  publish('seal', `## Sealing\n\n${how}\n\n${table(['', ''], rows)}`, quick)
}

function seconds(work: () => void): number {
  const before = performance.now()
  work()
  return (performance.now() - before) / 1000
}
