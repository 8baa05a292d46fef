import { parse, TomlError } from 'smol-toml'
import { validate } from '../config/validate.ts'
import { lineOf } from './line-of.ts'

/** What a TOML file holds. */
export type Tree = Record<string, unknown>

/** What is wrong in a config, by its line where that is known. */
export interface Fault {
  readonly line: number | undefined
  /** Never what stands there: it may be a password. */
  readonly what: string
  /** The key of the table that it is in, or of what stands outside of all; `undefined` when nothing could be read. */
  readonly section: string | undefined
}

/** The tree of a text, or why there is none. */
export function parseTree(text: string): { tree: Tree } | { fault: Fault } {
  try {
    return { tree: parse(text) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const [what = ''] = error.message.replace('Invalid TOML document: ', '').split('\n')
    const line = text.split('\n')[error.line - 1] ?? ''
    return { fault: { line: error.line, what: `${what}${hintAt(line)}`, section: undefined } }
  }
}

/** All that is wrong in a tree; `text` is what it was read from. */
export function faultsOf(tree: Tree, text: string): Fault[] {
  const result = validate(tree)
  if ('config' in result) return []
  return result.faults.map(({ place, what }) => {
    const [section] = place.split(/[.,]/)
    return { line: lineOf(text, place), what: `${place}: ${what}`, section }
  })
}

/** What word processors do to a line. */
function hintAt(line: string): string {
  if (/[\u2018-\u201f\u00ab\u00bb]/.test(line)) return '; there are curly quotes in this line: type straight ones (")'
  if (/[\u00a0\u2000-\u200b]/.test(line)) return '; there are unusual spaces in this line: type them again'
  return ''
}
