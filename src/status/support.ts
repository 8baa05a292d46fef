import type { Config } from '../config/config.ts'
import type { StreamCoverage } from '../journal/reading.ts'
import type { Snapshot } from './snapshot.ts'
import type { StatusSources } from './sources.ts'

/** What stands for what is not shown. */
const LEFT_OUT = '(left out)'
/** Of these it is only told whether they are set: they may hold a secret. */
const secretKeys: ReadonlySet<string> = new Set(['url', 'proxyCommand', 'identity', 'password', 'passwordFile'])

export interface SupportOptions {
  readonly config: Config
  readonly snapshot: Snapshot
  readonly week: readonly StreamCoverage[]
  readonly logged: ReturnType<StatusSources['logged']>
  /** Of the programs it is made of. */
  readonly versions: Readonly<Record<string, string | undefined>>
}

/** What somebody who helps needs to know, as JSON for people too. No student's id and no token is in it. */
export function supportBundle({ config, snapshot, week, logged, versions }: SupportOptions): string {
  const { report, verdict } = snapshot
  const gaps = week.filter(({ rest }) => rest.length > 0)
  const bundle = {
    format: 1,
    versions,
    verdict,
    report,
    gaps,
    config: withoutSecrets(config),
    log: logged.map(withoutSecretText)
  }
  return `${JSON.stringify(bundle, undefined, 2)}\n`
}

/** The config with all that may be a secret left out. */
function withoutSecrets(value: unknown, key = ''): unknown {
  if (value === undefined || value === null) return value
  if (secretKeys.has(key)) return LEFT_OUT
  if (Array.isArray(value)) return value.map((one) => withoutSecrets(one, key))
  if (typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutSecrets(one, name)]))
  }
  return typeof value === 'string' ? withoutSecretText(value) : value
}

/**
 * Logs hold none of it by the rules of the house; should one have slipped in, it does not get further: what looks like a
 * token, a code in a URL, who logs in there, and any long run of letters and digits, as ids are, but for hashes of ours.
 */
export function withoutSecretText(text: string): string {
  return text
    .replace(/\beyJ[\w-]+(\.[\w-]+)*/g, LEFT_OUT)
    .replace(/([?&](?:code|token|key|secret|password)=)[^&\s"#]+/gi, `$1${LEFT_OUT}`)
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/"]+@/gi, `$1${LEFT_OUT}@`)
    .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, LEFT_OUT)
    .replace(/(?<![\w/-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}(?![\w-])/g, LEFT_OUT)
}
