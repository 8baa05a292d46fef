import { type ErrorCode, systemCode, UnderstudyError } from '../errors.ts'
import type { RunOptions } from '../world/programs.ts'
import type { World } from '../world/world.ts'

/** What a program came to. */
export type Ended = Awaited<ReturnType<World['programs']['run']>>

/** Runs one of the programs this room is built on. @throws UNDERSTUDY_SYNC_NO_PROGRAM */
export async function start(world: World, command: string, args: string[], options: RunOptions): Promise<Ended> {
  try {
    return await world.programs.run(command, args, options)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new UnderstudyError('UNDERSTUDY_SYNC_NO_PROGRAM', command, { cause: error })
  }
}

/** Runs a program that must succeed, and quickly; gives what it printed. @throws `code` when it does not */
export async function runProgram(world: World, command: string, args: string[], code: ErrorCode): Promise<string> {
  const ended = await start(world, command, args, { timeoutMs: 60_000 })
  if (ended.code !== 0) throw new UnderstudyError(code, `${command} ended with ${ended.code}`)
  return ended.stdout
}
