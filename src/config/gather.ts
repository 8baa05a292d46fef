import type { Found, Problem } from './credentials.ts'
import { streamMatcher } from './patterns.ts'
import { socketStream } from './socket-url.ts'

/**
 * What a credentials folder gives now, and for each stream whose files are bad now what they gave before.
 * A `folder` that cannot be read at all (then it is the problem) says nothing of any stream.
 */
export function keepGood(folder: Found | Problem, before: Found): Found {
  const former = before.sources.filter(({ kind }) => kind === 'code')
  if (!('sources' in folder)) return { sources: former, problems: [folder], tokens: before.tokens }
  const bad = new Set(folder.problems.filter(({ severity }) => severity === 'error').map(({ stream }) => stream))
  const kept = former.filter(({ stream }) => bad.has(stream))
  const staying = new Set<string | undefined>(kept.map(({ stream }) => stream))
  return {
    sources: [...folder.sources, ...kept],
    problems: folder.problems.map((problem) =>
      staying.has(problem.stream) ? { ...problem, detail: `${problem.detail}; the former one stays in use` } : problem
    ),
    tokens: new Map([...folder.tokens, ...[...before.tokens].filter(([stream]) => staying.has(stream))])
  }
}

/** Adds streams that are given as websocket URLs; a stream's credential files win over a URL, a later URL over an earlier. */
export function addSockets(found: Found, urls: readonly string[]): Found {
  const problems = [...found.problems]
  const sources = new Map(found.sources.map((source) => [source.stream, source]))
  for (const url of urls) {
    const stream = socketStream(url)
    if (stream === undefined) continue
    const other = sources.get(stream)
    const same = other?.kind === 'socket' && other.url === url
    if (other && !same) {
      const why = other.kind === 'code' ? 'its credential files win over' : 'the last one named wins over'
      const detail = `${stream} is found twice: ${why} a URL of streams.sockets or LOG_URL`
      problems.push({ stream, severity: 'warning', code: 'UNDERSTUDY_CONFIG_INVALID', detail })
    }
    if (other?.kind !== 'code') sources.set(stream, { stream, kind: 'socket', url })
  }
  const ordered = [...sources.values()].sort((a, b) => (a.stream < b.stream ? -1 : 1))
  return { ...found, sources: ordered, problems }
}

/** A warning for each pattern of `only` that no credential file answers to: most likely a slip. */
export function unmatched(found: Found, only: readonly string[]): Problem[] {
  const streams = [...found.sources, ...found.problems].flatMap(({ stream }) => stream ?? [])
  return only
    .filter((pattern) => !streams.some(streamMatcher([pattern])))
    .map((pattern) => {
      const detail = `streams.only: ${pattern} matches no credential file`
      return { stream: undefined, severity: 'warning', code: 'UNDERSTUDY_UNKNOWN_STREAM', detail }
    })
}
