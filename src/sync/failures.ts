import { type ErrorCode, UnderstudyError } from '../errors.ts'
import type { Ended } from './run-program.ts'

const FULL = 'UNDERSTUDY_SYNC_FAR_FULL'

/**
 * What ssh, rsync and rrsync say, and what it means. The first that fits counts: a full disk also cuts the connection.
 * Their words themselves are not passed on.
 */
const meanings: ReadonlyArray<readonly [RegExp, ErrorCode]> = [
  [/host key verification failed|remote host identification has changed/i, 'UNDERSTUDY_SYNC_HOST_KEY'],
  [/permission denied \((?!13\))|too many authentication failures|no such identity/i, 'UNDERSTUDY_SYNC_KEY_REFUSED'],
  [/no space left on device|disk quota exceeded/i, FULL],
  [/another instance of rrsync/i, 'UNDERSTUDY_SYNC_BUSY'],
  [
    /rrsync.* error: |permission denied \(13\)|read-only file system|rsync: (?:command )?not found/i,
    'UNDERSTUDY_SYNC_FAR_SETUP'
  ],
  [
    /could not resolve|connection (?:refused|timed out)|no route to host|network is unreachable|host is down|operation timed out|kex_exchange_identification|connection closed by unknown/i,
    'UNDERSTUDY_SYNC_UNREACHABLE'
  ]
]

/** Exit codes of rsync for a connection that ended or stayed silent; 255 is ssh's, -1 means that it took too long. */
const cut: ReadonlySet<number> = new Set([-1, 10, 12, 20, 30, 35, 255])

/** rsync's for a file that could not be written; what the receiver says of it can be lost when the connection ends. */
const UNWRITTEN = 11
const receiverSays = /\[(?:receiver|generator)\].* \(\d+\)$/im

/** @param writer on whose disk the files are written */
export function failureOf({ code, stderr }: Ended, doing: string, writer: 'far' | 'near' = 'far'): UnderstudyError {
  const unsaid = code === UNWRITTEN && !receiverSays.test(stderr) ? FULL : undefined
  const meaning = meanings.find(([words]) => words.test(stderr))?.[1] ?? unsaid
  const other = cut.has(code) ? 'UNDERSTUDY_SYNC_CUT' : 'UNDERSTUDY_SYNC_FAILED'
  const told = meaning === FULL && writer === 'near' ? 'UNDERSTUDY_SYNC_NEAR_FULL' : meaning
  return new UnderstudyError(told ?? other, `${doing} (exit code ${code})`)
}
