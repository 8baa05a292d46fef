import { type ErrorCode, explain, systemCode, UnderstudyError } from '../errors.ts'

/** Something that somebody should put right. Never a token, an address, or what stands in a file. */
export interface Wrong {
  readonly code: ErrorCode
  /** Which file or thing, as people know it. */
  readonly where: string
  /** What is the matter with it. */
  readonly what: string
  readonly remedy: string
}

/** @param detail more than the code says, or in its place */
export function wrong(code: ErrorCode, where: string, detail?: string, remedy?: string): Wrong {
  const known = explain(code)
  return { code, where, what: detail || known.what, remedy: remedy ?? known.remedy }
}

/**
 * What failed, of something that could not be done; `code` is for what the system says.
 * @throws what is neither the system's nor coded
 */
export function wrongOf(error: unknown, code: ErrorCode, where: string): Wrong {
  if (error instanceof UnderstudyError) return wrong(error.code, where, error.detail)
  const system = systemCode(error)
  if (system === undefined) throw error
  return wrong(code, where, `${explain(code).what} (${system})`)
}

/** A name that somebody else chose, as it can be printed. */
export function shown(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 100)
}
