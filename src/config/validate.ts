import * as v from 'valibot'
import { type Config, toConfig } from './config.ts'
import { nearest } from './nearest.ts'
import { CONFIG_FORMAT, configSchema } from './schema.ts'
import { isTable } from './values.ts'

/** Something wrong in a config. */
export interface ConfigFault {
  /** Where, e.g. `relay.read_interval` or `streams.only, entry 1`. */
  readonly place: string
  /** What was found, in kind, and what is expected. */
  readonly what: string
}

/** Turns what a TOML file holds into the config in force, or into all that is wrong with it. */
export function validate(tree: unknown): { config: Config } | { faults: ConfigFault[] } {
  const format = isTable(tree) ? tree['format'] : undefined
  if (typeof format === 'number' && format > CONFIG_FORMAT) {
    // What else is in it means what that release says.
    return {
      faults: [{ place: 'format', what: `found ${format}, expected ${CONFIG_FORMAT}: it is for a newer release` }]
    }
  }
  const result = v.safeParse(configSchema, tree)
  return result.success ? { config: toConfig(result.output) } : { faults: result.issues.flatMap(faultsOf) }
}

function faultsOf(issue: v.InferIssue<typeof configSchema>): ConfigFault[] {
  const path = issue.path?.map(({ key }) => key) ?? []
  if (issue.type !== 'strict_object') {
    return [{ place: placeOf(path), what: issue.message }]
  }
  if (issue.expected !== 'never') return [{ place: placeOf(path), what: 'found nothing, expected it to be given' }]
  // valibot names the first unknown key of a table only.
  const table = path.slice(0, -1)
  const within = table.map(String)
  return Object.keys(issue.path?.at(-1)?.input as object)
    .filter((key) => !knownKeys(within).includes(key))
    .map((key) => ({ place: placeOf([...table, shown(key)]), what: unknownKey(key, within, placeOf(table)) }))
}

function placeOf(path: readonly unknown[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `, entry ${key + 1}` : `.${key}`))
    .join('')
    .slice(1)
}

function unknownKey(key: string, within: readonly string[], place: string): string {
  const near = nearest(key, knownKeys(within))
  if (near) return `found an unknown key, expected perhaps ${place && `${place}.`}${near}`
  const elsewhere = knownKeys([]).find((section) => knownKeys([section]).includes(key))
  if (elsewhere) return `found an unknown key, expected perhaps ${elsewhere}.${key}`
  return `found an unknown key, perhaps a newer release's, expected one of ${knownKeys(within).join(', ')}`
}

/** A key of the file as it can be printed: a secret or a whole page may stand where a key should. */
function shown(key: string): string {
  return /^[\w-]{1,40}$/.test(key) ? key : '(a strange key)'
}

/** The keys of the whole file, or of the section at `path`. */
function knownKeys(path: readonly string[]): string[] {
  // Each table of a list is of the list's one kind.
  const named = path.filter((key) => !/^\d+$/.test(key))
  return Object.keys(named.reduce((entries, key) => entriesOf(entries[key]), entriesOf(configSchema)))
}

/** The entries of a schema, whatever it is wrapped in. */
function entriesOf(schema: unknown): Record<string, unknown> {
  const {
    entries,
    item,
    wrapped,
    pipe = []
  } = schema as {
    entries?: Record<string, unknown>
    item?: unknown
    wrapped?: unknown
    pipe?: readonly unknown[]
  }
  if (entries) return entries
  if (item ?? wrapped) return entriesOf(item ?? wrapped)
  return Object.assign({}, ...pipe.map(entriesOf))
}
