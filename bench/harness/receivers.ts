import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Status } from '../../src/cli/local/status.ts'
import type { Feeder } from './feeder.ts'
import { bench } from './place.ts'
import { cpuUs, type Memory, memory } from './proc.ts'
import { type Child, env, start, stop } from './programs.ts'

/** One process or several that take every stream of a feeder. */
export interface Receiver {
  /** Messages taken so far. */
  taken(): Promise<number>
  /** Of all its processes, so far. */
  cpuUs(): number
  /** Of all its processes, now. */
  memory(): Memory
  stop(): Promise<void>
}

/** Starts a receiver that keeps what it stores in `directory`; resolves when it has all streams. */
export type Start = (feeder: Feeder, directory: string) => Promise<Receiver>

function receiver(children: readonly Child[], taken: () => Promise<number>, signal: NodeJS.Signals): Receiver {
  const sum = (of: (pid: number) => number): number => children.reduce((total, { pid }) => total + of(pid!), 0)
  return {
    taken,
    cpuUs: () => sum(cpuUs),
    memory: () => ({
      rssBytes: sum((pid) => memory(pid).rssBytes),
      anonymousBytes: sum((pid) => memory(pid).anonymousBytes),
      pssBytes: sum((pid) => memory(pid).pssBytes)
    }),
    async stop() {
      await Promise.all(children.map((child) => stop(child, signal)))
    }
  }
}

/** A peer's count: its answer to SIGUSR2. */
async function asked(child: Child): Promise<number> {
  const answer = once(child.stdout, 'data')
  child.kill('SIGUSR2')
  return Number(String((await answer)[0]))
}

async function peers(feeder: Feeder, children: readonly Child[]): Promise<Receiver> {
  await feeder.opened()
  const taken = async (): Promise<number> => (await Promise.all(children.map(asked))).reduce((sum, one) => sum + one, 0)
  return receiver(children, taken, 'SIGKILL')
}

const urls = (feeder: Feeder): string[] => feeder.streams.map((stream) => feeder.url(stream))

export const python: Start = (feeder, directory) => {
  execFileSync(bench('peer/primary-setup.sh'), { stdio: 'inherit' })
  return peers(
    feeder,
    urls(feeder).map((url) => start(bench('.venv/bin/python'), [bench('peer/primary.py'), url, directory]))
  )
}

export const bare: Start = (feeder) => peers(feeder, [start(process.execPath, [bench('peer/ws.ts'), ...urls(feeder)])])

export const floor: Start = (feeder, directory) =>
  peers(feeder, [start(process.execPath, [bench('peer/floor.ts'), directory, ...urls(feeder)])])

/**
 * `understudy run` as it is shipped, with every stream read on the tick, or at once. Taken is what is on the disk.
 * @param port its page's; 0: no page
 */
export function understudy(how: 'tick' | 'live', port = 8088, program = bench('../dist/cli/main.js')): Start {
  return async (feeder, directory) => {
    const [config, data] = [join(directory, 'understudy.toml'), join(directory, 'data')]
    mkdirSync(join(directory, 'credentials'))
    const streams = [`credentials = "${directory}/credentials"`, `sockets = ${JSON.stringify(urls(feeder))}`]
    writeFileSync(
      config,
      [
        '[streams]',
        ...streams,
        '[relay]',
        `live = ${how === 'live' ? '["*"]' : '[]'}`,
        '[status]',
        `port = ${port}`,
        ''
      ].join('\n')
    )
    const child = start(program, ['run', '--config', config, '--data', data])
    child.stdout.resume()
    await feeder.opened()
    const status = promisify(execFile)
    const taken = async (): Promise<number> => {
      const asked = status(program, ['status', '--json', '--data', data], { env })
      // Its exit code is the verdict, of a machine whose clock nobody sets for example.
      const { stdout } = await asked.catch((error: { code?: unknown; stdout: string }) => {
        if (error.code !== 1 && error.code !== 5) throw error
        return error
      })
      const { journal, streams }: Status = JSON.parse(stdout)
      const frames = streams.reduce((sum, stream) => sum + stream.frames, 0)
      return journal.pendingBytes === 0 ? frames : frames - 1
    }
    return receiver([child], taken, 'SIGTERM')
  }
}
