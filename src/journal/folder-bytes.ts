import type { Files } from '../world/files.ts'

/** Bytes of the files in a folder; 0 when it is not there. */
export async function folderBytes(files: Files, path: string): Promise<number> {
  if (!(await files.info(path))) return 0
  let bytes = 0
  for (const { name } of await files.list(path)) bytes += (await files.info(`${path}/${name}`))?.sizeBytes ?? 0
  return bytes
}
