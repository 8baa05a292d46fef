import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { atEnd } from './cleanup.ts'
import { anonymousBytes } from './proc.ts'

export type Child = ChildProcessByStdio<null, Readable, null>

const stopped = new WeakSet<Child>()

/** What is started by its name alone runs under this Node too. */
export const env = { ...process.env, PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) }

/** Starts a program, without which the bench cannot go on. */
export function start(command: string, args: readonly string[]): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  const forget = atEnd(() => child.kill('SIGKILL'))
  child.once('exit', (code) => {
    forget()
    if (!stopped.has(child)) throw new Error(`${[command, ...args.slice(0, 2)].join(' ')}… ended with ${code}`)
  })
  return child
}

/** Resolves when it has ended. */
export async function stop(child: Child, signal: NodeJS.Signals): Promise<void> {
  stopped.add(child)
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** Runs a program to its end. Gives its highest anonymous memory, in bytes, as far as a look every 50 ms sees it. */
export async function runToEnd(command: string, args: readonly string[]): Promise<number> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env })
  const forget = atEnd(() => child.kill('SIGKILL'))
  let highest = 0
  const look = setInterval(() => {
    try {
      highest = Math.max(highest, anonymousBytes(child.pid!))
    } catch {
      // It has ended, and we are about to hear of it.
    }
  }, 50)
  const [code] = await once(child, 'exit')
  clearInterval(look)
  forget()
  if (code !== 0) throw new Error(`${[command, ...args.slice(0, 2)].join(' ')}… ended with ${code}`)
  return highest
}

/** How long something takes. */
export async function seconds(work: () => unknown): Promise<number> {
  const before = performance.now()
  await work()
  return (performance.now() - before) / 1000
}
