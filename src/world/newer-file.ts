import type { Files } from './files.ts'

/** The format that a file of JSON says it is of; `undefined` where it says none. */
export function formatOf(text: string): number | undefined {
  try {
    const { format } = JSON.parse(text) as { format?: unknown }
    return typeof format === 'number' ? format : undefined
  } catch {
    return undefined
  }
}

/**
 * Keeps a file that a newer release has written, as `PATH.newer`, since this one will write another in its place.
 * @returns whether it was such a file
 */
export async function keepNewer(files: Files, path: string, known: number): Promise<boolean> {
  if (!(await files.info(path))) return false
  const format = formatOf((await files.readFile(path)).toString())
  if (format === undefined || format <= known) return false
  let kept = `${path}.newer`
  for (let again = 2; await files.info(kept); again++) kept = `${path}.newer-${again}`
  await files.rename(path, kept)
  await files.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  return true
}
