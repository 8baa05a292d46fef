import { UnderstudyError } from '../errors.ts'
import { type Files, writeDurably } from '../world/files.ts'

/**
 * Puts a file into place, whole or not at all, and reads it back. Where it holds that already, nothing is written.
 * @param temporary where it is written first, on the same disk; default: beside it
 * @throws UNDERSTUDY_PROVISION_NO_PLACE when another thing is read back; Node's error
 */
export async function placeFile(
  files: Files,
  path: string,
  content: Uint8Array | string,
  mode: number,
  temporary = `${path}.new`
): Promise<void> {
  const data = Buffer.from(content)
  if (await holds(files, path, data)) return
  // One that a cut left behind may have another mode.
  await files.remove(temporary)
  try {
    await writeDurably(files, path, data, mode, temporary)
  } catch (error) {
    // Half a file would take the last room of a full disk.
    await files.remove(temporary).catch(() => {})
    throw error
  }
  if (!(await holds(files, path, data))) {
    throw new UnderstudyError('UNDERSTUDY_PROVISION_NO_PLACE', 'what was written reads back otherwise')
  }
}

async function holds(files: Files, path: string, data: Buffer): Promise<boolean> {
  const info = await files.info(path)
  return info?.kind === 'file' && info.sizeBytes === data.length && (await files.readFile(path)).equals(data)
}
