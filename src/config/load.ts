import { resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { systemCode, UnderstudyError } from '../errors.ts'
import type { World } from '../world/world.ts'
import type { Config } from './config.ts'
import { readText, whyUnreadable } from './text-file.ts'
import { validate } from './validate.ts'
import { isTable } from './values.ts'

const defaultFile = '/etc/understudy/understudy.toml'
const mostBytes = 1e6

export interface ConfigOptions {
  /** The config file (`--config`); it must be there. Without one, `UNDERSTUDY_CONFIG` or the default, which may be missing. */
  readonly file?: string | undefined
  readonly flags: { readonly data?: string | undefined; readonly credentials?: string | undefined }
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * The config in force: flags win over environment over file over defaults.
 * @throws UNDERSTUDY_CONFIG_UNREADABLE; UNDERSTUDY_CONFIG_INVALID, which names everything that is wrong
 */
export async function loadConfig(world: Pick<World, 'files'>, options: ConfigOptions): Promise<Config> {
  const named = options.file ?? (options.environment['UNDERSTUDY_CONFIG'] || undefined)
  const file = named ?? defaultFile
  const tree = parseToml(file, await read(world, file, named !== undefined))
  const origins = override(tree, options)
  const result = validate(tree)
  if ('config' in result) return result.config
  const lines = result.faults.map(({ place, what }) => `${origins.get(place) ?? `${file}: ${place}`}: ${what}`)
  throw new UnderstudyError('UNDERSTUDY_CONFIG_INVALID', lines.join('\n  '))
}

async function read(world: Pick<World, 'files'>, file: string, named: boolean): Promise<string> {
  try {
    return await readText(world.files, file, mostBytes)
  } catch (error) {
    if (!named && systemCode(error) === 'ENOENT') return ''
    throw new UnderstudyError('UNDERSTUDY_CONFIG_UNREADABLE', `${file}: ${whyUnreadable(error)}`, { cause: error })
  }
}

function parseToml(file: string, text: string): Record<string, unknown> {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    // The error itself quotes the lines around the place, which may hold a secret: only its first line goes on.
    const [what] = error.message.replace('Invalid TOML document: ', '').split('\n')
    const place = `line ${error.line}, column ${error.column}`
    throw new UnderstudyError('UNDERSTUDY_CONFIG_INVALID', `${file}: ${place}: ${what}, expected TOML`)
  }
}

/**
 * Puts what flags and environment say in the place of what the file says.
 * Gives the places that were replaced, each with what it was replaced by (`--data`).
 */
function override(tree: Record<string, unknown>, { flags, environment }: ConfigOptions): Map<string, string> {
  const origins = new Map<string, string>()
  const set = (section: string, key: string, value: unknown, origin: string, place = `${section}.${key}`): void => {
    tree[section] ??= {}
    const table = tree[section]
    // Otherwise the file is wrong there, and will be told so.
    if (!isTable(table)) return
    table[key] = value
    origins.set(place, origin)
  }
  const path = (section: string, key: string, variable: string, flag?: 'data' | 'credentials'): void => {
    const given = environment[variable]
    if (given) set(section, key, resolve(given), variable)
    const flagged = flag && flags[flag]
    // An empty one is a shell variable that was not set, not this folder; the schema refuses it.
    if (flagged !== undefined) set(section, key, flagged && resolve(flagged), `--${flag}`)
  }
  path('data', 'directory', 'UNDERSTUDY_DATA', 'data')
  path('streams', 'credentials', 'UNDERSTUDY_CREDENTIALS', 'credentials')
  path('primary', 'data_path', 'DATA_PATH')
  path('primary', 'comp_path', 'COMP_PATH')
  const url = environment['LOG_URL']
  if (url) {
    const sockets = (isTable(tree['streams']) && tree['streams']['sockets']) || []
    if (Array.isArray(sockets))
      set('streams', 'sockets', [...sockets, url], 'LOG_URL', `streams.sockets, entry ${sockets.length + 1}`)
  }
  return origins
}
