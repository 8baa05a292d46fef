import type { StreamCoverage, Unheard } from '../../journal/reading.ts'
import type { Ms } from '../../world/time.ts'
import { BIN_MS } from '../activity.ts'
import { type Html, html } from '../html.ts'
import { pluralWords, spanWords } from '../words.ts'

/** What a quarter of an hour was, the worst first: what was not heard is never hidden by what was. */
export type BinKind = 'gap' | 'uncertain' | 'outside' | 'recorded' | 'quiet' | 'unknown'

const HEIGHT = 20

/** Where each kind is drawn, so that it can be told without colours: y and height. */
const bars: Readonly<Record<BinKind, readonly [y: number, height: number]>> = {
  gap: [0, HEIGHT],
  uncertain: [0, HEIGHT],
  outside: [9, 2],
  recorded: [2, HEIGHT - 2],
  quiet: [14, 6],
  unknown: [0, 0]
}

/**
 * What each bin of a period was.
 * @param counts the frames in each bin
 * @param inTerm whether the labs were in use at a time
 */
export function binKinds(
  coverage: StreamCoverage | undefined,
  counts: readonly number[],
  fromMs: Ms,
  inTerm: (atMs: Ms) => boolean
): BinKind[] {
  return counts.map((count, index) => {
    const [startMs, endMs] = [fromMs + index * BIN_MS, fromMs + (index + 1) * BIN_MS]
    const isKnown = coverage && endMs * 1000 > coverage.fromUs && startMs * 1000 < coverage.toUs
    if (!isKnown) return 'unknown'
    const rest = coverage.rest.filter(({ fromUs, toUs }) => fromUs < endMs * 1000 && toUs > startMs * 1000)
    const isWhole = rest.some(
      ({ fromUs, toUs }) => fromUs <= startMs * 1000 && toUs >= Math.min(endMs * 1000, coverage.toUs)
    )
    if (rest.some(({ kind }) => kind === 'gap')) return isWhole && !inTerm(startMs) ? 'outside' : 'gap'
    if (rest.length > 0) return 'uncertain'
    return count > 0 ? 'recorded' : 'quiet'
  })
}

/** A day of a stream, drawn small, with the same in words. */
export function strip(kinds: readonly BinKind[], coverage: StreamCoverage | undefined): Html {
  const words = stripWords(kinds, coverage)
  const runs = runsOf(kinds).filter(({ kind }) => kind !== 'unknown')
  return html`<svg class="strip" role="img" aria-label="${words}" viewBox="0 0 ${kinds.length} ${HEIGHT}" preserveAspectRatio="none"><title>${words}</title>${runs.map(drawn)}</svg>`
}

/** `Last 24 hours: recorded 8 h, quiet 15 h 45 min, not heard 12 min in 2 gaps (connection lost, host rebooted)` */
function stripWords(kinds: readonly BinKind[], coverage: StreamCoverage | undefined): string {
  if (!coverage) return 'Last 24 hours: not known'
  const lasting = (kind: BinKind): Ms => kinds.filter((one) => one === kind).length * BIN_MS
  const parts = [
    ...(['recorded', 'quiet'] as const).flatMap((kind) =>
      lasting(kind) > 0 ? [`${kind} ${spanWords(lasting(kind))}`] : []
    ),
    ...restWords(coverage.rest, 'gap', 'not heard'),
    ...restWords(coverage.rest, 'uncertain', 'uncertain')
  ]
  const outside = lasting('outside') > 0 ? `, of that ${spanWords(lasting('outside'))} outside term` : ''
  return `Last 24 hours: ${parts.join(', ') || 'nothing yet'}${outside}`
}

function restWords(rest: readonly Unheard[], kind: Unheard['kind'], said: string): string[] {
  const parts = rest.filter((one) => one.kind === kind)
  if (parts.length === 0) return []
  const lengthMs = parts.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0) / 1000
  const causes = [...new Set(parts.map(({ cause }) => cause))].join(', ')
  return [`${said} ${spanWords(lengthMs)} in ${pluralWords(parts.length, kind === 'gap' ? 'gap' : 'part')} (${causes})`]
}

interface Run {
  readonly kind: BinKind
  readonly from: number
  length: number
}

function runsOf(kinds: readonly BinKind[]): Run[] {
  const runs: Run[] = []
  kinds.forEach((kind, from) => {
    const last = runs.at(-1)
    if (last?.kind === kind) last.length++
    else runs.push({ kind, from, length: 1 })
  })
  return runs
}

/** A gap has a cross in it, and what is uncertain a line: neither needs a colour to be seen. */
function drawn({ kind, from, length }: Run): Html {
  const [y, height] = bars[kind]
  const to = from + length
  const mark =
    kind === 'gap'
      ? html`<path d="M${from} 0L${to} ${HEIGHT}M${to} 0L${from} ${HEIGHT}"/>`
      : kind === 'uncertain'
        ? html`<path d="M${from} ${HEIGHT}L${to} 0"/>`
        : undefined
  return html`<rect class="${kind}" x="${from}" y="${y}" width="${length}" height="${height}"/>${mark}`
}
