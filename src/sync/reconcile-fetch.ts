import type { World } from '../world/world.ts'
import { failureOf } from './failures.ts'
import { start } from './run-program.ts'

const FETCH_MS = 6 * 3_600_000

/** Whether a place is on another machine, as rsync and scp name it: `user@host:DIR`. */
export function isRemote(place: string): boolean {
  return /^[^/:]+:/.test(place) && !place.startsWith('-')
}

/**
 * Copies a primary's DATA_PATH by rsync, over ssh as it is set up for whoever runs this: the Pi's own keys may not read
 * there. Nobody is asked for a password.
 * @throws UNDERSTUDY_SYNC_NO_PROGRAM, or why it could not be fetched
 */
export async function fetchPrimary(world: World, from: string, into: string, signal: AbortSignal): Promise<void> {
  const options = ['--times', '--dirs', '--timeout=120', '--rsh=ssh -o BatchMode=yes', '--exclude=.*']
  const args = [...options, '--', `${from.replace(/\/*$/, '')}/`, `${into}/`]
  const ended = await start(world, 'rsync', args, { timeoutMs: FETCH_MS, signal })
  signal.throwIfAborted()
  if (ended.code !== 0) throw failureOf(ended, 'fetching what the primary has')
}
