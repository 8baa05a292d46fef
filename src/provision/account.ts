import type { Wrong } from './wrong.ts'

/** What came of one folder. */
export interface Account {
  readonly directory: string
  /** What was taken in, as people call it. */
  readonly taken: string[]
  readonly wrongs: Wrong[]
}
