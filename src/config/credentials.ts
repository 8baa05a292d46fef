import { join } from 'node:path'
import { type ErrorCode, UnderstudyError } from '../errors.ts'
import type { StreamSource } from '../relay/source.ts'
import type { Files } from '../world/files.ts'
import { isStreamName, streamNameForm } from './stream-name.ts'
import { readText, whyUnreadable } from './text-file.ts'
import { readToken, type TokenFacts } from './token.ts'

/** Something an operator should put right. */
export interface Problem {
  /** Whose, when it is one stream's. */
  readonly stream: string | undefined
  /** `error`: the stream cannot be recorded from this; `warning`: it can. */
  readonly severity: 'error' | 'warning'
  readonly code: ErrorCode
  /** Never a token or an address. */
  readonly detail: string
}

/** What a credentials folder or all of the configuration gives. */
export interface Found {
  /** In order of their names, each stream once. */
  readonly sources: readonly StreamSource[]
  readonly problems: readonly Problem[]
  /** By stream, of the sources that have one. */
  readonly tokens: ReadonlyMap<string, TokenFacts>
}

const fileName = /^log\.(access|token)\.(?:.*\.)?([^.]*)$/s
const mostBytes = 65_536

/** What a credential file's name says of it; `undefined` when it is not the name of one. The stream's may be any text. */
export function credentialName(name: string): { kind: 'access' | 'token'; stream: string } | undefined {
  const [, kind, stream] = fileName.exec(name) ?? []
  return kind === undefined || stream === undefined ? undefined : { kind: kind as 'access' | 'token', stream }
}

/**
 * The URL in the text of an access file.
 * @throws UNDERSTUDY_CREDENTIALS_INVALID
 */
export function accessUrlIn(text: string, name: string): string {
  const url = lineIn(text, name)
  if (/^https?:\/\/[^\s#]+$/.test(url) && URL.canParse(url)) return url
  throw invalid(name, 'it holds something else than an http or https URL')
}

/**
 * The token in the text of a token file, and whether a "Bearer" stood before it. What it says is not looked at.
 * @throws UNDERSTUDY_CREDENTIALS_INVALID
 */
export function tokenIn(text: string, name: string): { token: string; bearer: boolean } {
  const issued = lineIn(text, name)
  const token = issued.replace(/^bearer\s+/i, '')
  return { token, bearer: token !== issued }
}

/**
 * The names of the credential files in a folder, sorted.
 * @throws UNDERSTUDY_CREDENTIALS_UNREADABLE
 */
export async function listCredentials(files: Files, directory: string): Promise<string[]> {
  try {
    const entries = await files.list(directory)
    return entries.flatMap(({ name }) => (credentialName(name) ? [name] : [])).sort()
  } catch (error) {
    const detail = `${directory}: ${whyUnreadable(error)}`
    throw new UnderstudyError('UNDERSTUDY_CREDENTIALS_UNREADABLE', detail, { cause: error })
  }
}

/**
 * Reads the pairs `log.access.<stream>` and `log.token.<stream>` of a folder; `wanted` narrows them. A bad pair is a
 * problem and stops no other.
 * @throws UNDERSTUDY_CREDENTIALS_UNREADABLE when the folder itself cannot be read
 */
export async function readCredentials(
  files: Files,
  directory: string,
  wanted: (stream: string) => boolean
): Promise<Found> {
  const sources: StreamSource[] = []
  const problems: Problem[] = []
  const tokens = new Map<string, TokenFacts>()
  for (const [stream, pair] of findPairs(await listCredentials(files, directory))) {
    if (!isStreamName(stream)) {
      const name = JSON.stringify([...pair.access, ...pair.token][0]?.slice(0, 80))
      const detail = `after the last dot of ${name} a stream's name is expected: ${streamNameForm}`
      problems.push({ stream: undefined, severity: 'error', code: 'UNDERSTUDY_BAD_STREAM_NAME', detail })
      continue
    }
    if (!wanted(stream)) continue
    try {
      const access = await readFile(files, directory, one(pair.access, `log.access.${stream}`))
      const accessUrl = accessUrlIn(access, `log.access.${stream}`)
      const file = one(pair.token, `log.token.${stream}`)
      const { token, bearer } = tokenIn(await readFile(files, directory, file), file)
      tokens.set(stream, readToken(token))
      sources.push({ stream, kind: 'code', accessUrl, token })
      if (bearer) {
        const detail = `log.token.${stream}: it begins with "Bearer", which is left out`
        problems.push({ stream, severity: 'warning', code: 'UNDERSTUDY_CREDENTIALS_INVALID', detail })
      }
    } catch (error) {
      problems.push(problemOf(error, stream))
    }
  }
  return { sources, problems, tokens }
}

/**
 * A coded error as a problem that keeps a stream, or all of them, from being recorded.
 * @throws what is not coded
 */
export function problemOf(error: unknown, stream?: string): Problem {
  if (!(error instanceof UnderstudyError)) throw error
  return { stream, severity: 'error', code: error.code, detail: error.detail }
}

interface Pair {
  readonly access: string[]
  readonly token: string[]
}

/** The names of each stream's files, in order of the streams' names. */
function findPairs(names: readonly string[]): Array<[string, Pair]> {
  const pairs = new Map<string, Pair>()
  for (const name of names) {
    const { kind, stream } = credentialName(name)!
    const pair = pairs.get(stream) ?? { access: [], token: [] }
    pair[kind].push(name)
    pairs.set(stream, pair)
  }
  return [...pairs].sort(([a], [b]) => (a < b ? -1 : 1))
}

function one(names: readonly string[], usual: string): string {
  const [name, ...others] = names
  if (name === undefined) throw invalid(usual, 'it is missing')
  if (others.length > 0) throw invalid(usual, 'several files are for this stream')
  return name
}

async function readFile(files: Files, directory: string, name: string): Promise<string> {
  return readText(files, join(directory, name), mostBytes).catch((error: unknown) => {
    if (error instanceof RangeError) throw invalid(name, error.message)
    const detail = `${name}: ${whyUnreadable(error)}`
    throw new UnderstudyError('UNDERSTUDY_CREDENTIALS_UNREADABLE', detail, { cause: error })
  })
}

/**
 * The one line of a credential file.
 * @param name of the file, for errors
 */
function lineIn(text: string, name: string): string {
  const line = text.trim()
  if (line === '') throw invalid(name, 'it is empty')
  if (/[\r\n]/.test(line)) throw invalid(name, 'it has several lines, expected one')
  return line
}

function invalid(name: string, what: string): UnderstudyError {
  return new UnderstudyError('UNDERSTUDY_CREDENTIALS_INVALID', `${name}: ${what}`)
}
