import { readToken, type TokenFacts } from '../config/token.ts'
import { type ErrorCode, UnderstudyError } from '../errors.ts'
import type { Ms } from '../world/time.ts'

/** One credential file that was brought. */
export interface Brought {
  readonly kind: 'access' | 'token'
  /** The URL, or the token. */
  readonly value: string
  /** The folder or archive it came in: what is in one belongs together. */
  readonly group: string
}

/** What a stream is recorded with. */
export interface Pair {
  readonly accessUrl: string
  readonly token: string
}

/** What becomes of a file that was brought. */
export type Fate =
  /** It is to be put into place. */
  | { readonly is: 'taken' }
  /** The same is in place. */
  | { readonly is: 'known' }
  /** It is good, and what is in place lasts longer. */
  | { readonly is: 'shorter'; readonly untilMs: Ms }
  /** An address all of whose tokens are refused. */
  | { readonly is: 'waiting' }
  | { readonly is: 'refused'; readonly code: ErrorCode; readonly detail: string }

export interface Now {
  readonly ms: Ms
  /** Whether the clock is right. If not, only the tokens' own times are compared. */
  readonly known: boolean
}

export interface Choice<File> {
  /** What is to be in place; absent: what is there stays. */
  readonly pair: Pair | undefined
  readonly fates: ReadonlyMap<File, Fate>
}

interface Candidate<File> extends Pair {
  readonly files: readonly File[]
  readonly expiresMs: Ms
  readonly fault: { readonly code: ErrorCode; readonly detail: string } | undefined
}

/**
 * Of all that one stream could be recorded with, what is in place included, the valid token that expires last; of equals
 * what was brought, and the later of it. Half a pair goes with the other half in place.
 */
export function choose<File extends Brought>(inPlace: Partial<Pair>, brought: readonly File[], now: Now): Choice<File> {
  const candidates = candidatesOf(inPlace, brought, now)
  const there = pairOf(inPlace)
  const own = there && candidate<File>(there, [], now)
  let best = own?.fault === undefined ? own : undefined
  for (const one of candidates) {
    if (one.fault === undefined && one.expiresMs >= (best?.expiresMs ?? Number.NEGATIVE_INFINITY)) best = one
  }
  const fates = new Map(brought.map((file) => [file, fateOf(file, inPlace, candidates, best)]))
  const same = best && best.accessUrl === inPlace.accessUrl && best.token === inPlace.token
  return { pair: best && !same ? { accessUrl: best.accessUrl, token: best.token } : undefined, fates }
}

function candidatesOf<File extends Brought>(inPlace: Partial<Pair>, brought: readonly File[], now: Now) {
  const candidates: Array<Candidate<File>> = []
  for (const group of new Set(brought.map((file) => file.group))) {
    const together = brought.filter((file) => file.group === group)
    const urls = halves(together, 'access', inPlace.accessUrl, brought)
    const tokens = halves(together, 'token', inPlace.token, brought)
    for (const url of urls) {
      for (const token of tokens) {
        const files = [url.file, token.file].filter((file) => file !== undefined)
        candidates.push(candidate({ accessUrl: url.value, token: token.value }, files, now))
      }
    }
  }
  return candidates
}

/** The halves of one kind that a group's others may go with: its own, else the one in place, else any that was brought. */
function halves<File extends Brought>(
  together: readonly File[],
  kind: Brought['kind'],
  inPlace: string | undefined,
  brought: readonly File[]
): Array<{ value: string; file?: File }> {
  const of = (files: readonly File[]): Array<{ value: string; file: File }> =>
    files.flatMap((file) => (file.kind === kind ? [{ value: file.value, file }] : []))
  const own = of(together)
  if (own.length > 0) return own
  return inPlace === undefined ? of(brought) : [{ value: inPlace }]
}

function pairOf({ accessUrl, token }: Partial<Pair>): Pair | undefined {
  return accessUrl === undefined || token === undefined ? undefined : { accessUrl, token }
}

function candidate<File>(pair: Pair, files: readonly File[], now: Now): Candidate<File> {
  try {
    const facts = readToken(pair.token)
    return { ...pair, files, expiresMs: facts.expiresMs, fault: faultOf(pair.accessUrl, facts, now) }
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error
    return { ...pair, files, expiresMs: Number.NEGATIVE_INFINITY, fault: { code: error.code, detail: error.detail } }
  }
}

/** Why the relay would refuse it. */
function faultOf(accessUrl: string, facts: TokenFacts, now: Now): Candidate<unknown>['fault'] {
  const { audience, topic, notBeforeMs, expiresMs } = facts
  if (audience.length > 0 && !audience.some((base) => accessUrl.startsWith(`${base.replace(/\/$/, '')}/`))) {
    return { code: 'UNDERSTUDY_RELAY_WRONG_AUDIENCE', detail: '' }
  }
  const asked = new URL(accessUrl).pathname.split('/').filter(Boolean).at(-1)
  if (topic !== undefined && topic !== asked) return { code: 'UNDERSTUDY_RELAY_WRONG_TOPIC', detail: '' }
  if (!now.known) return undefined
  if (notBeforeMs > now.ms) {
    return { code: 'UNDERSTUDY_RELAY_TOKEN_EARLY', detail: `it is valid from ${dayOf(notBeforeMs)} on` }
  }
  if (expiresMs > now.ms) return undefined
  return { code: 'UNDERSTUDY_RELAY_TOKEN_EXPIRED', detail: `it expired on ${dayOf(expiresMs)}` }
}

function fateOf<File extends Brought>(
  file: File,
  inPlace: Partial<Pair>,
  candidates: ReadonlyArray<Candidate<File>>,
  best: Candidate<File> | undefined
): Fate {
  const half = file.kind === 'access' ? 'accessUrl' : 'token'
  if (best?.[half] === file.value) return { is: inPlace[half] === file.value ? 'known' : 'taken' }
  const its = candidates.filter(({ files }) => files.includes(file))
  const good = its.find(({ fault }) => fault === undefined)
  if (good) return { is: 'shorter', untilMs: good.expiresMs }
  const fault = its[0]?.fault
  if (fault) return file.kind === 'access' ? { is: 'waiting' } : { is: 'refused', ...fault }
  const missing = file.kind === 'access' ? 'token' : 'access'
  return { is: 'refused', code: 'UNDERSTUDY_CREDENTIALS_INVALID', detail: `its log.${missing} file is missing` }
}

/** `2027-11-02`, in UTC. */
export function dayOf(ms: Ms): string {
  return new Date(ms).toISOString().slice(0, 10)
}
