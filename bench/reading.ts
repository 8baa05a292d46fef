import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Journal } from '../src/journal/journal.ts'
import { dayUs, openJournal } from './harness/journal.ts'
import { withDirectory } from './harness/measure.ts'
import { bench, sizeBytes } from './harness/place.ts'
import { start, stop } from './harness/programs.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const day = 'one stream-day out of thirty'
const file = "that stream's month as one file of JSON lines, parsed"
const killed = 'reopening after a kill'
const clean = 'reopening after a clean end'

async function timed<Result>(work: () => Promise<Result>): Promise<[ms: number, result: Result]> {
  const before = performance.now()
  const result = await work()
  return [performance.now() - before, result]
}

/** Has another process fill a journal, and kills it. Gives the bytes of the messages. */
async function fill(kind: 'month' | 'incompressible', amount: number, directory: string): Promise<number> {
  const child = start(process.execPath, [bench('fill.ts'), kind, String(amount), directory])
  const [line] = await once(child.stdout, 'data')
  await stop(child, 'SIGKILL')
  return Number(line)
}

async function count(journal: Journal, query: Parameters<Journal['range']>[0]): Promise<number> {
  let frames = 0
  for await (const batch of journal.range(query)) frames += batch.length
  return frames
}

/** Reads days of streams here and there, and beside each the whole month from a plain file. */
async function stored(messages: number, rounds: number, directory: string, results: Results): Promise<void> {
  const bytes = await fill('month', messages, directory)
  results.add('stored', sizeBytes(directory) / bytes, 'bytes a byte of message')
  const journal = await openJournal(directory, { nowUs: dayUs(31) })
  const plain = join(directory, 'month.jsonl')
  const lines: Buffer[] = []
  for await (const batch of journal.range({ streams: new Set(['spin33']) })) {
    for (const { payload } of batch) lines.push(payload)
  }
  await writeFile(plain, lines.map((line) => `${line}\n`).join(''))

  for (let round = 0; round < rounds; round++) {
    const from = (round * 7 + 3) % 30
    const query = { streams: new Set([`spin3${(round * 3) % 10}`]), fromUs: dayUs(from), toUs: dayUs(from + 1) }
    const [ms, frames] = await timed(() => count(journal, query))
    if (frames !== messages / 360) throw new Error(`a stream-day has ${frames} frames`)
    results.add(day, ms, 'ms')
    const [plainMs] = await timed(async () => {
      const text = await readFile(plain, 'utf8')
      return text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    })
    results.add(file, plainMs, 'ms')
  }
  await journal.close()
}

async function reopened(megabytes: number, directory: string, results: Results): Promise<void> {
  await fill('incompressible', megabytes, directory)
  for (const how of [killed, clean]) {
    const [ms, journal] = await timed(() => openJournal(directory, { nowUs: dayUs(31) }))
    results.add(how, ms, 'ms')
    await journal.close()
    await pause(100)
  }
}

/** Reading back, the size of what is stored, and opening again. */
export async function reading(quick: boolean): Promise<void> {
  const rounds = quick ? 1 : 3
  const messages = quick ? 36_000 : 1_440_000
  const megabytes = quick ? 20 : 1000
  const results = new Results()
  await withDirectory((directory) => stored(messages, rounds * 3, directory, results))
  for (let round = 0; round < rounds; round++) {
    await withDirectory((directory) => reopened(megabytes, directory, results))
  }
  const ms = (name: string): string[] => [name, `${short(results.median(name))} ms`]
  const rows = [
    [`stored, ${messages} messages at 12 × 20/s`, `${short(results.median('stored'))} bytes a byte`],
    ms(day),
    ms(file),
    ms(killed),
    ms(clean)
  ]
  const how = `A stream-day is ${messages / 360} of ${messages} messages; reopened are ${megabytes} MB on the disk. Medians.`
  publish('reading', `## Reading\n\n${how}\n\n${table(['', ''], rows)}`, quick)
}
