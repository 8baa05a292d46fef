import { isStreamName, streamNameForm } from '../config/stream-name.ts'
import { UnderstudyError } from '../errors.ts'

/**
 * Gives the name back, safe to be a file's.
 * @throws UNDERSTUDY_BAD_STREAM_NAME
 */
export function checkStreamName(name: string): string {
  if (!isStreamName(name)) throw new UnderstudyError('UNDERSTUDY_BAD_STREAM_NAME', `expected ${streamNameForm}`)
  return name
}
