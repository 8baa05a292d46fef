import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { systemCode, UnderstudyError } from '../../errors.ts'
import { type Files, writeDurably } from '../../world/files.ts'

/** What a unix socket's path may have. */
const MAX_BYTES = 107

/**
 * Where a running Understudy is asked: `run.sock` in the data folder, or where that path is too long, a place that the
 * file `run.sock.path` in the data folder names.
 */
export async function findSocket(files: Files, dataDirectory: string): Promise<string> {
  const path = ownPath(dataDirectory)
  if (fits(path)) return path
  try {
    return (await files.readFile(`${path}.path`)).toString()
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    return path
  }
}

/**
 * Chooses that place, for the one who will listen there. A path too long gives way to the runtime folder of the user
 * ($XDG_RUNTIME_DIR, or a private folder in /tmp).
 * @throws UNDERSTUDY_SOCKET_FOLDER when somebody else may have made that folder, or may enter it
 */
export async function chooseSocket(
  files: Files,
  dataDirectory: string,
  user: { readonly runtimeDirectory: string | undefined; readonly uid: number }
): Promise<string> {
  const path = ownPath(dataDirectory)
  if (fits(path)) return path
  const directory = user.runtimeDirectory ?? (await privateDirectory(files, user.uid))
  const name = createHash('sha256').update(path).digest('hex').slice(0, 16)
  const short = join(directory, `understudy-${name}.sock`)
  await writeDurably(files, `${path}.path`, short)
  return short
}

/** In /tmp anybody may have put something under this name before. */
async function privateDirectory(files: Files, uid: number): Promise<string> {
  const name = `understudy-${uid}`
  const directory = `/tmp/${name}`
  const isLink = async (): Promise<boolean> =>
    (await files.list('/tmp')).some((entry) => entry.name === name && entry.kind !== 'directory')
  await files.makeDirectory('/tmp')
  if (!(await isLink())) await files.makeDirectory(directory, 0o700)
  const { owner, mode = 0o777 } = (await files.info(directory)) ?? {}
  if (owner === uid && (mode & 0o077) === 0 && !(await isLink())) return directory
  throw new UnderstudyError('UNDERSTUDY_SOCKET_FOLDER', directory)
}

function ownPath(dataDirectory: string): string {
  return join(resolve(dataDirectory), 'run.sock')
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= MAX_BYTES
}
