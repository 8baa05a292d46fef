import * as v from 'valibot'
import { durationForm, parseDuration, parseSize, sizeForm } from './units.ts'

/** What a value is, without showing it: it may be a secret that slipped into the wrong place. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a date'
  if (typeof value === 'object') return 'a table'
  return typeof value === 'string' ? 'other text' : `a ${typeof value}`
}

/** A message for valibot that says what was found, in kind, and what is expected. */
export function expected(form: string): (issue: { readonly input: unknown }) => string {
  return ({ input }) => `found ${kindOf(input)}, expected ${form}`
}

/** Text for which `fits` holds. */
export function text(form: string, fits: (value: string) => boolean) {
  return v.pipe(v.string(expected(form)), v.check(fits, expected(form)))
}

/** A table of TOML with these keys and no others; left out, it has its defaults. */
export function section<const Entries extends v.ObjectEntries>(entries: Entries) {
  // strictObject alone takes lists and dates for empty objects.
  return v.pipe(v.custom<object>(isTable, expected('a table, [like_this]')), v.strictObject(entries))
}

/** Whether a value of a TOML file is a table. */
export function isTable(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === '[object Object]'
}

/** A duration between two others, in ms. */
export function duration(least: string, most: string) {
  return quantity(parseDuration, durationForm, least, most)
}

/** A size between two others, in bytes. */
export function size(least: string, most: string) {
  return quantity(parseSize, sizeForm, least, most)
}

function quantity(parse: (text: string) => number, form: string, least: string, most: string) {
  return v.pipe(
    v.string(expected(form)),
    v.rawTransform<string, number>(({ dataset, addIssue, NEVER }) => {
      try {
        const value = parse(dataset.value)
        if (value >= parse(least) && value <= parse(most)) return value
        addIssue({ message: `found ${value < parse(least) ? 'less' : 'more'}, expected ${least} to ${most}` })
      } catch (error) {
        addIssue({ message: (error as RangeError).message })
      }
      return NEVER
    })
  )
}
