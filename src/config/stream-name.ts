/** What a stream may be called; short and plain, so that a name is safe in a key, a file name and a log line. */
export const streamNameForm = 'at most 64 letters, digits, dashes and underscores'

/** Whether `name` may be a stream's name. */
export function isStreamName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name)
}
