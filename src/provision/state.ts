import { isTable } from '../config/values.ts'
import type { Files } from '../world/files.ts'
import type { Ms } from '../world/time.ts'
import { placeFile } from './place.ts'

const MOST_EVENTS = 60

/** Something that was taken in. */
export interface Taken {
  readonly atMs: Ms
  /** By a clock that was not known to be right. */
  readonly guessed: boolean
  /** The folder it came from. */
  readonly from: string
  readonly what: string
}

/** What is remembered from one run to the next. */
export interface State {
  /** Of each folder, a digest of the config that was taken from it last. */
  readonly seen: Record<string, string>
  /** The last things that were taken in, oldest first. */
  readonly taken: Taken[]
  /** This machine's identity was made here, and no data disk has been there since: see `restoreIdentity`. */
  isNew: boolean
}

/** What cannot be read counts as nothing remembered: then a config is taken in again. */
export async function readState(files: Files, to: string): Promise<State> {
  const path = `${to}/state.json`
  try {
    const state: unknown = JSON.parse((await files.readFile(path)).toString())
    if (isTable(state) && state['format'] === 1 && isTable(state['seen']) && Array.isArray(state['taken'])) {
      const { seen, taken, isNew } = state
      return { seen: seen as State['seen'], taken: taken as Taken[], isNew: isNew === true }
    }
  } catch {}
  const isThere = (await files.info(path).catch(() => true)) !== undefined
  return { seen: {}, taken: [], isNew: !isThere }
}

export function writeState(files: Files, to: string, { seen, taken, isNew }: State): Promise<void> {
  const text = JSON.stringify({ format: 1, seen, taken: taken.slice(-MOST_EVENTS), ...(isNew && { isNew }) })
  return placeFile(files, `${to}/state.json`, `${text}\n`, 0o640)
}
