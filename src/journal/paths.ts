import { UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'

/** Where things lie in a data folder. */
export function journalPaths(directory: string): {
  catalogue: string
  head: string
  reserve: string
  stores: string
  aside: string
  readers: string
  store(number: number): string
} {
  return {
    catalogue: `${directory}/catalogue`,
    head: `${directory}/head`,
    reserve: `${directory}/reserve`,
    stores: `${directory}/stores`,
    aside: `${directory}/aside`,
    readers: `${directory}/readers`,
    store: (number) => `${directory}/stores/${String(number).padStart(6, '0')}`
  }
}

/** @throws UNDERSTUDY_NO_JOURNAL when there is none in this folder */
export async function requireJournal(files: Files, directory: string): Promise<void> {
  const { catalogue, stores } = journalPaths(directory)
  // A catalogue that is lost can be made anew.
  if (!(await files.info(catalogue)) && !(await files.info(stores))) {
    throw new UnderstudyError('UNDERSTUDY_NO_JOURNAL', directory)
  }
}
