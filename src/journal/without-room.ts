import { systemCode } from '../errors.ts'

/** Whether a disk that is full or read-only is behind it; LevelDB says so in words only. */
export function isWithoutRoom(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (['ENOSPC', 'EDQUOT', 'EROFS'].includes(systemCode(error) ?? '')) return true
  return /No space left on device|Read-only file system/.test(error.message) || isWithoutRoom(error.cause)
}
