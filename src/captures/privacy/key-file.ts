import { UnderstudyError } from '../../errors.ts'
import type { Files } from '../../world/files.ts'

const MIN_BYTES = 32

/**
 * The key of pseudonyms: what is in the file, without white space at its end.
 * @throws UNDERSTUDY_KEY_FILE when it is not there, shorter than 32 bytes or open to others
 */
export async function readKeyFile(files: Files, path: string): Promise<Buffer> {
  const info = await files.info(path)
  if (info?.kind !== 'file') throw new UnderstudyError('UNDERSTUDY_KEY_FILE', 'there is no such file')
  if ((info.mode & 0o077) !== 0) throw new UnderstudyError('UNDERSTUDY_KEY_FILE', 'others may read or write it')
  const content = await files.readFile(path)
  const key = Buffer.from(content.toString('latin1').trimEnd(), 'latin1')
  if (key.length < MIN_BYTES) throw new UnderstudyError('UNDERSTUDY_KEY_FILE', `it is shorter than ${MIN_BYTES} bytes`)
  return key
}
