import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capturesPath } from '../src/captures/sealed.ts'
import { dayUs } from './harness/journal.ts'
import { withDirectory } from './harness/measure.ts'
import { bench } from './harness/place.ts'
import { runToEnd, seconds } from './harness/programs.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

/** As it is shipped. */
const program = bench('../dist/cli/main.js')
/** Twelve streams at 20/s. */
const DAY_MESSAGES = 12 * 20 * 86_400

const config = `
[clock]
trust = true
[[capture]]
name = "daily"
schedule = "0 0 * * *"
duration = "1d"
time_zone = "Etc/UTC"
`
const noon = new Date(dayUs(0.5) / 1000).toISOString()

/** Sealing a day of twelve streams, beside rewriting its messages with stock programs. */
export async function seal(quick: boolean): Promise<void> {
  const [count, rounds] = quick ? [60_000, 1] : [1_200_000, 3]
  await withDay(count, async (data, results) => {
    for (let round = 0; round < rounds; round++) {
      // It is sealed once only: each round has a journal of its own.
      const own = `${data}-${round}`
      cpSync(data, own, { recursive: true })
      await sealBesidePeer(own, count, results)
      rmSync(own, { recursive: true })
    }
    const how = `${count} messages of twelve streams, ${short(results.median('size'))} MB, imported. Medians of ${rounds}.`
    publish('seal', `## Sealing\n\n${how}\n\n${table(['', ''], rows(results))}`, quick)
  })
}

/**
 * The same once for the whole day of 20.7 million messages, with the Parquet of that day, which DuckDB reads and compares
 * with what was sealed. Takes 15 GB of the disk and most of an hour.
 */
export async function sealDay(quick: boolean): Promise<void> {
  const count = quick ? 60_000 : DAY_MESSAGES
  execFileSync(bench('../test/formats/duckdb-setup.sh'))
  await withDay(count, async (data, results) => {
    await sealBesidePeer(data, count, results)
    const parquet = join(data, '../parquet')
    const exporting = ['export', '--format', 'parquet', ...of(data), '--out', parquet]
    const writing = await seconds(async () =>
      results.add('parquet memory', (await runToEnd(program, exporting)) / 1e6, 'MB')
    )
    results.add('parquet', writing, 's')
    const python = bench('../test/formats/.venv/bin/python')
    const compared = execFileSync(python, [bench('peer/compare-parquet.py'), parquet, sealedPath(data)], {
      encoding: 'utf8'
    })
    if (Number(compared) !== count) throw new Error(`DuckDB found ${compared} equal rows`)
    const more = [
      row(results, 'parquet', 'Parquet of the day, which DuckDB reads with equal counts and values', 's'),
      row(results, 'parquet memory', 'its highest anonymous memory', 'MB')
    ]
    const how = `${count} messages of twelve streams, ${short(results.median('size'))} MB, imported.`
    publish('seal-day', `## Sealing a whole day\n\n${how}\n\n${table(['', ''], [...rows(results), ...more])}`, quick)
  })
}

/** Lends a journal that has the day imported, with the messages for the peer as `messages.gz` beside it. */
async function withDay(count: number, work: (data: string, results: Results) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const results = new Results()
    const [data, messages] = [join(directory, 'data'), join(directory, 'messages.gz')]
    mkdirSync(data)
    writeFileSync(settingsOf(data), config)
    const [printing, importing] = [`"$0" "${bench('day.ts')}" ${count}`, `"$0" "${program}" import - "$@"`]
    shell(`${printing} | ${importing}`, process.execPath, ...of(data))
    shell(`"$0" "${program}" export --raw --out - "$@" | gzip -1 >"${messages}"`, process.execPath, ...of(data))
    const bytes = execFileSync('sh', ['-c', `zcat "${messages}" | wc -c`], { encoding: 'utf8' })
    results.add('size', Number(bytes) / 1e6, 'MB')
    await work(data, results)
  })
}

/** Which journal, for a command. */
function of(data: string): string[] {
  return ['--config', settingsOf(data), '--data', data]
}

function settingsOf(data: string): string {
  return join(data, '../understudy.toml')
}

/** Seals the day in a journal, after its peer. */
async function sealBesidePeer(data: string, count: number, results: Results): Promise<void> {
  const [messages, peer] = [join(data, '../messages.gz'), join(data, '../peer.zst')]
  const rewriting = await seconds(() => shell(`zcat "${messages}" | jq -c . | zstd -q >"${peer}"`))
  rmSync(peer)
  const run = ['captures', 'run', 'daily', '--at', noon, ...of(data)]
  const sealing = await seconds(async () => results.add('memory', (await runToEnd(program, run)) / 1e6, 'MB'))
  const manifest = readFileSync(join(sealedPath(data), 'manifest.json'), 'utf8')
  const { streams } = JSON.parse(manifest) as { streams: Array<{ messages: number }> }
  const sealed = streams.reduce((sum, { messages }) => sum + messages, 0)
  if (sealed !== count) throw new Error(`${sealed} of ${count} messages are sealed`)
  results.add('peer', rewriting, 's')
  results.add('seal', sealing, 's')
  results.add('ratio', rewriting / sealing, '')
}

function sealedPath(data: string): string {
  return join(capturesPath(data), 'daily/2026-01-05')
}

function shell(script: string, ...args: readonly string[]): void {
  execFileSync('sh', ['-c', script, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

function row(results: Results, name: string, title: string, unit: string): string[] {
  return [title, `${short(results.median(name))} ${unit}`]
}

function rows(results: Results): string[][] {
  return [
    row(results, 'peer', '`zcat \\| jq -c . \\| zstd` of the same messages', 's'),
    row(results, 'seal', 'sealing the day, reading back included', 's'),
    row(results, 'ratio', 'how much faster, of each pair', ''),
    row(results, 'memory', 'its highest anonymous memory', 'MB')
  ]
}
