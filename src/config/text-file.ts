import { systemCode } from '../errors.ts'
import type { Files } from '../world/files.ts'

/**
 * A small file that people edit, as text, without a byte order mark.
 * @throws RangeError when it is no file, too large or not UTF-8; Node's error when it cannot be read
 */
export async function readText(files: Files, path: string, mostBytes: number): Promise<string> {
  const info = await files.info(path)
  // Reading a pipe would wait for a writer.
  if (info && info.kind !== 'file') throw new RangeError('it is not a file')
  if (info && info.sizeBytes > mostBytes) throw new RangeError(`it is larger than ${mostBytes} bytes`)
  const bytes = await files.readFile(path)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new RangeError('it is not UTF-8 text')
  }
}

/** Why `readText` failed, in words that are safe to show. */
export function whyUnreadable(error: unknown): string {
  return error instanceof RangeError ? error.message : (systemCode(error) ?? 'it failed for an unknown reason')
}
