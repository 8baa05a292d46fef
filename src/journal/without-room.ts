import { systemCode } from '../errors.ts'

/** Whether a disk that is full or read-only is behind it. */
export function isWithoutRoom(error: unknown): boolean {
  return isBehind(error, ['ENOSPC', 'EDQUOT', 'EROFS'], /No space left on device|Read-only file system/)
}

/** Whether something may not be written. */
export function isForbidden(error: unknown): boolean {
  return isBehind(
    error,
    ['EACCES', 'EPERM', 'EROFS'],
    /Permission denied|Operation not permitted|Read-only file system/
  )
}

/** Whether the disk has failed to give what lies on it, so that nothing is known of that. */
export function isDiskFault(error: unknown): boolean {
  return isBehind(error, ['LEVEL_IO_ERROR', 'EIO'], /Input\/output error/)
}

/**
 * Whether it says nothing of what lies on the disk, and may go better the next time. LevelDB's "IO error" alone does not
 * tell: a file that is missing is one, too.
 */
export function isPassing(error: unknown): boolean {
  return isWithoutRoom(error) || isForbidden(error) || isBehind(error, ['EIO', 'EMFILE', 'ENFILE', 'ENOMEM'], LATER)
}

const LATER = /Input\/output error|Too many open files|Cannot allocate memory/

/** What the system said: LevelDB's errors have it in words only. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = systemCode(error)
  if (code?.startsWith('E')) return code
  if (error.cause !== undefined) return reasonOf(error.cause)
  return code === 'LEVEL_IO_ERROR' ? error.message.slice(error.message.lastIndexOf(': ') + 2) : (code ?? error.name)
}

/** LevelDB says it in words only. */
function isBehind(error: unknown, codes: readonly string[], words: RegExp): boolean {
  if (!(error instanceof Error)) return false
  return codes.includes(systemCode(error) ?? '') || words.test(error.message) || isBehind(error.cause, codes, words)
}

/** Why something could not be written. */
export type DiskFailure = 'disk full' | 'disk failed'

export function diskFailure(error: unknown): DiskFailure {
  if (!(error instanceof Error)) return 'disk failed'
  const isFull = ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '') || /No space left on device/.test(error.message)
  return isFull ? 'disk full' : diskFailure(error.cause)
}
