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
}

/** What cannot be read counts as nothing remembered: then a config is taken in again. */
export async function readState(files: Files, to: string): Promise<State> {
  try {
    const state: unknown = JSON.parse((await files.readFile(`${to}/state.json`)).toString())
    if (isTable(state) && state['format'] === 1 && isTable(state['seen']) && Array.isArray(state['taken'])) {
      return { seen: state['seen'] as State['seen'], taken: state['taken'] as Taken[] }
    }
  } catch {}
  return { seen: {}, taken: [] }
}

export function writeState(files: Files, to: string, { seen, taken }: State): Promise<void> {
  const text = JSON.stringify({ format: 1, seen, taken: taken.slice(-MOST_EVENTS) })
  return placeFile(files, `${to}/state.json`, `${text}\n`, 0o640)
}
