import { readdirSync, readFileSync } from 'node:fs'

/** CPU time that a process has used so far, user and system, over all its threads, in µs. */
export function cpuUs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const ns = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
  )
  return ns.reduce((sum, one) => sum + one, 0) / 1000
}

export interface Memory {
  readonly rssBytes: number
  /** What is the process's own and not read from a file. */
  readonly anonymousBytes: number
  /** Like RSS, what is shared divided by those who share it. */
  readonly pssBytes: number
}

/** What a process holds that is its own and not read from a file: quicker than asking for all of `memory`. */
export function anonymousBytes(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

export function memory(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8') + readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)![1]) * 1024
  return { rssBytes: bytes('VmRSS'), anonymousBytes: bytes('RssAnon'), pssBytes: bytes('Pss') }
}
