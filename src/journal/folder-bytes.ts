import { systemCode } from '../errors.ts'
import type { Files } from '../world/files.ts'

/** Bytes of the files in a folder and in those in it; 0 when it is not there, also when it goes while it is read: stores are exchanged. */
export async function folderBytes(files: Files, path: string): Promise<number> {
  let bytes = 0
  for (const name of await namesIn(files, path)) {
    const info = await files.info(`${path}/${name}`)
    if (info?.kind === 'directory') bytes += await folderBytes(files, `${path}/${name}`)
    else bytes += info?.sizeBytes ?? 0
  }
  return bytes
}

async function namesIn(files: Files, path: string): Promise<string[]> {
  try {
    return (await files.list(path)).map(({ name }) => name)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
