const meanings: Record<string, string> = {
  EBADF: 'bad file descriptor',
  EEXIST: 'file already exists',
  EINVAL: 'invalid argument',
  EIO: 'i/o error',
  EISDIR: 'illegal operation on a directory',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
  EXDEV: 'cross-device link not permitted'
}

/** An error as Node makes them: `code`, `syscall`, `path`, and of the stack nothing. */
export function systemError(code: string, syscall: string, path?: string): NodeJS.ErrnoException {
  const message = `${code}: ${meanings[code] ?? 'failed'}, ${syscall}${path === undefined ? '' : ` '${path}'`}`
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new Error(message)
  Error.stackTraceLimit = stackTraceLimit
  return Object.assign(error, { code, syscall, ...(path !== undefined && { path }) })
}
