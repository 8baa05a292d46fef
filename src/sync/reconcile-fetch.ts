import type { World } from '../world/world.ts'
import { failureOf } from './failures.ts'
import { start } from './run-program.ts'

const FETCH_MS = 6 * 3_600_000

/** Whether a place is on another machine, as rsync and scp name it: `user@host:DIR`. */
export function isRemote(place: string): boolean {
  return /^[^/:]+:/.test(place) && !place.startsWith('-')
}

/** The ssh of whoever runs this, who is asked for no password. */
export const ownSsh = 'ssh -o BatchMode=yes'

/**
 * Copies a primary's DATA_PATH by rsync over ssh, without its folders. The Pi's own keys may not read there.
 * @param ssh the command that connects, as rsync takes it
 * @throws UNDERSTUDY_SYNC_NO_PROGRAM, or why it could not be fetched
 */
export async function fetchPrimary(
  world: World,
  { from, into, ssh }: { from: string; into: string; ssh: string },
  signal: AbortSignal
): Promise<void> {
  const options = ['--times', '--dirs', '--timeout=120', `--rsh=${ssh}`, '--exclude=.*']
  const args = [...options, '--', `${from.replace(/\/*$/, '')}/`, `${into}/`]
  const ended = await start(world, 'rsync', args, { timeoutMs: FETCH_MS, signal })
  signal.throwIfAborted()
  if (ended.code !== 0) throw failureOf(ended, 'fetching what the primary has')
}
