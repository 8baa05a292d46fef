import { explain } from '../../errors.ts'
import type { StreamReport } from '../../health/report.ts'
import type { StreamCoverage } from '../../journal/reading.ts'
import { type Html, html, live } from '../html.ts'
import { DAY_MS, type Snapshot } from '../snapshot.ts'
import { clockWords, countWords, dayWords, shareWords, time, timeWords } from '../words.ts'
import { binKinds, strip } from './strip.ts'

const states = { active: 'Recording', quiet: 'Quiet', unheard: 'Not heard' } as const
const marks = { active: '●', quiet: '○', unheard: '✕' } as const

/** Every stream as a row. */
export function streamsSection(snapshot: Snapshot): Html {
  const { streams } = snapshot.report
  if (streams.length === 0) return html`<section><h2>Streams</h2><p>There are none.</p></section>`
  const titles = ['Stream', 'State', 'Last message', 'Messages today', 'Last 24 hours', 'Token good until']
  return html`<section aria-labelledby="streams"><h2 id="streams">Streams</h2>
<table class="streams" role="table"><thead role="rowgroup"><tr role="row">${titles.map((title) => html`<th role="columnheader" scope="col">${title}</th>`)}</tr></thead>
<tbody role="rowgroup">${streams.map((stream) => streamRow(snapshot, stream))}</tbody></table>
${legend}
</section>`
}

/** How a stream is at this moment. */
export function stateOf({ zone, report }: Snapshot, stream: StreamReport): Html {
  const { state, unheardSinceMs, cause, code } = stream
  const reason = code === undefined ? cause : explain(code).what
  const since =
    state === 'unheard' && unheardSinceMs !== undefined
      ? html` since ${time(zone, unheardSinceMs, report.nowMs)}`
      : undefined
  const why = state === 'unheard' && reason !== undefined ? `: ${reason}` : ''
  return html`<span class="heard ${state}"><span aria-hidden="true">${marks[state]}</span> ${states[state]}</span>${since}${why}`
}

/** When its last message came, to the second while that is today; it changes by itself. */
export function lastMessage({ zone, report: { nowMs } }: Snapshot, { stream, lastFrameMs }: StreamReport): Html {
  const isToday = lastFrameMs !== undefined && zone.date(lastFrameMs * 1000) === zone.date(nowMs * 1000)
  const words = isToday ? clockWords(zone, lastFrameMs) : lastFrameMs && timeWords(zone, lastFrameMs, nowMs)
  return live(`last-${stream}`, words || 'none since the start')
}

export function messagesToday({ zone, report: { nowMs }, activity }: Snapshot, { stream }: StreamReport): Html {
  const midnightMs = zone.instantUs(Math.floor(zone.wallMs(nowMs * 1000) / DAY_MS) * DAY_MS) / 1000
  return live(`today-${stream}`, countWords(activity.total(stream, midnightMs, nowMs)))
}

/** What was drawn last of what a stream was covered; a bin that has messages keeps them, so their number tells them all. */
const drawnLast = new WeakMap<StreamCoverage, { readonly key: string; readonly drawn: Html }>()

export function stripOf({ activity, coverage, fromMs, inTerm }: Snapshot, stream: string): Html {
  const counts = activity.counts(stream, fromMs, fromMs + DAY_MS)
  const covered = coverage.get(stream)
  const key = `${fromMs} ${counts.filter((count) => count > 0).length}`
  const last = covered && drawnLast.get(covered)
  if (last?.key === key) return last.drawn
  const drawn = strip(binKinds(covered, counts, fromMs, inTerm), covered)
  if (covered) drawnLast.set(covered, { key, drawn })
  return drawn
}

function streamRow(snapshot: Snapshot, one: StreamReport): Html {
  const { stream, tokenExpiresMs } = one
  const share = snapshot.coverage.get(stream)?.share
  const cell = (title: string, content: Html): Html => html`<td role="cell" data-title="${title}">${content}</td>`
  return html`<tr role="row"><th role="rowheader" scope="row"><a href="/streams/${stream}">${stream}</a></th>
${cell('State', stateOf(snapshot, one))}
${cell('Last message', lastMessage(snapshot, one))}
${cell('Messages today', messagesToday(snapshot, one))}
${cell('Last 24 hours', html`${stripOf(snapshot, stream)}${share === undefined ? undefined : html` <span class="share">${shareWords(share)} heard</span>`}`)}
${cell('Token good until', expiry(snapshot, tokenExpiresMs))}</tr>`
}

export function expiry({ zone, report: { nowMs } }: Snapshot, atMs: number | undefined): Html {
  if (atMs === undefined) return html`has none`
  return html`<time datetime="${new Date(atMs).toISOString()}">${dayWords(zone, atMs)}</time>${atMs <= nowMs ? html` <strong>(expired)</strong>` : undefined}`
}

const legend = html`<p class="legend"><svg class="key" aria-hidden="true" viewBox="0 0 4 20" preserveAspectRatio="none"><rect class="recorded" y="2" width="4" height="18"/></svg>recorded
<svg class="key" aria-hidden="true" viewBox="0 0 4 20" preserveAspectRatio="none"><rect class="quiet" y="14" width="4" height="6"/></svg>heard, and no message came
<svg class="key" aria-hidden="true" viewBox="0 0 4 20" preserveAspectRatio="none"><rect class="gap" width="4" height="20"/><path d="M0 0L4 20M4 0L0 20"/></svg>not heard
<svg class="key" aria-hidden="true" viewBox="0 0 4 20" preserveAspectRatio="none"><rect class="uncertain" width="4" height="20"/><path d="M0 20L4 0"/></svg>perhaps not all
<svg class="key" aria-hidden="true" viewBox="0 0 4 20" preserveAspectRatio="none"><rect class="outside" y="9" width="4" height="2"/></svg>outside term.
Messages are counted as the relay sends them; several that come at once may count as one.</p>`
