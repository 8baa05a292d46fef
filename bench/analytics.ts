import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { withDirectory } from './harness/measure.ts'
import { bench } from './harness/place.ts'
import { publish, short, table } from './harness/report.ts'
import { Results } from './harness/results.ts'

const ANSWERS = 1000

/** What bench/graphs.ts says of a journal that it has read. */
interface Read {
  readonly commands: number
  readonly students: number
  readonly readMs: number
  readonly cpuUs: number
  readonly waitMs: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly idle: number
  readonly highest: number
}

/**
 * The graphs of many students from the journal, and answers from them, beside a primary's way with pandas: a CSV that is
 * read and written for each message.
 */
export async function analytics(quick: boolean): Promise<void> {
  const [count, students, many, peer] = quick ? [20_000, 200, 2000, 200] : [1_000_000, 2000, 100_000, 2000]
  const results = new Results()
  await withDirectory(async (directory) => {
    execFileSync(bench('peer/pandas-setup.sh'))
    for (const each of [students, many]) part('fill', count, each, join(directory, String(each)))
    // As many messages a student, so that as good as each finds a file to read.
    const peerStudents = Math.round((students * peer) / count)
    const pandas = peerCost(peer, peerStudents, join(directory, 'peer'))
    results.add('peer', pandas.perSecond, 'messages/s')
    results.add('peerCpu', pandas.cpuUs, 'µs')
    const few = reading(join(directory, String(students)))
    if (few.commands !== count || few.students !== students) throw new Error('the graphs are not whole')
    const perSecond = count / (few.readMs / 1000)
    results.add('own', perSecond, 'messages/s')
    results.add('ownCpu', few.cpuUs / count, 'µs')
    results.add('ratio', perSecond / pandas.perSecond, '')
    results.add('cpuRatio', pandas.cpuUs / (few.cpuUs / count), '')
    results.add('median', few.medianMs, 'ms')
    results.add('p99', few.p99Ms, 'ms')
    results.add('wait', few.waitMs, 'ms')
    results.add('few', few.highest / 1e6, 'MB')
    const all = reading(join(directory, String(many)))
    if (all.commands !== count) throw new Error('the graphs are not whole')
    results.add('idle', all.idle / 1e6, 'MB')
    results.add('many', all.highest / 1e6, 'MB')
    results.add('manyMedian', all.medianMs, 'ms')
  })
  const row = (name: string, title: string, unit: string): string[] => [title, `${short(results.median(name))} ${unit}`]
  const rows = [
    row('peer', `pandas, read and written for each of ${peer} messages`, 'messages/s'),
    row('own', `Understudy, from the journal, all ${count}`, 'messages/s'),
    row('ratio', 'how many times as fast', ''),
    row('peerCpu', 'CPU of pandas for a message', 'µs'),
    row('ownCpu', 'CPU of Understudy for a message', 'µs'),
    row('cpuRatio', 'how many times less', ''),
    row('wait', 'the longest that anything else waited for its turn meanwhile', 'ms'),
    row('median', 'an answer to `all_feedback`, median', 'ms'),
    row('p99', 'an answer to `all_feedback`, of 100 the slowest', 'ms'),
    row('few', `highest anonymous memory, ${students} students`, 'MB'),
    row('many', `highest anonymous memory, ${many} students`, 'MB'),
    row('idle', 'anonymous memory before, with the journal open', 'MB'),
    row('manyMedian', `an answer to \`all_feedback\`, median, ${many} students`, 'ms')
  ]
  const how = `${count} commands of ${students} students at random, in a journal; then ${ANSWERS} requests of \`all_feedback\`, each answered by its five replies as text; and the same of ${many} students. pandas keeps a student's matrix in a CSV, for fewer students with as many messages each.`
  publish('analytics', `## Students' graphs\n\n${how}\n\n${table(['', ''], rows)}`, quick)
}

function part(...args: Array<string | number>): string {
  // As bin/understudy.js has it.
  const options = { encoding: 'utf8', maxBuffer: 1 << 30, env: { ...process.env, MALLOC_ARENA_MAX: '2' } } as const
  return execFileSync(process.execPath, ['--max-semi-space-size=1', bench('graphs.ts'), ...args.map(String)], options)
}

/** Reads a journal for the first time. */
function reading(directory: string): Read {
  return JSON.parse(part('read', ANSWERS, directory)) as Read
}

function peerCost(count: number, students: number, directory: string): { perSecond: number; cpuUs: number } {
  const python = bench('.venv-pandas/bin/python')
  mkdirSync(directory)
  const input = part('lines', count, students)
  const printed = execFileSync(python, [bench('peer/graphs.py'), directory], { input, encoding: 'utf8' })
  const [seconds, cpuSeconds] = printed.split(' ').map(Number)
  return { perSecond: count / seconds!, cpuUs: (cpuSeconds! / count) * 1e6 }
}
