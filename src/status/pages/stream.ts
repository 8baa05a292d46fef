import type { StreamReport } from '../../health/report.ts'
import type { StreamCoverage, Unheard } from '../../journal/reading.ts'
import { type Html, html } from '../html.ts'
import { DAY_MS, type Snapshot } from '../snapshot.ts'
import { countWords, dayWords, shareWords, spanWords, time } from '../words.ts'
import { chart } from './chart.ts'
import { expiry, lastMessage, messagesToday, stateOf, stripOf } from './streams.ts'

const MOST_GAPS = 50
const MOST_FOLDERS = 14

/**
 * A stream's own page.
 * @param week its coverage over the last seven days, where it could be read
 */
export function streamPage(snapshot: Snapshot, one: StreamReport, week: StreamCoverage | undefined): Html {
  const { stream } = one
  const { activity, fromMs, zone } = snapshot
  const counts = activity.counts(stream, fromMs, fromMs + DAY_MS)
  const facts: ReadonlyArray<readonly [string, Html]> = [
    ['State', stateOf(snapshot, one)],
    ['Last message', lastMessage(snapshot, one)],
    ['Messages today', messagesToday(snapshot, one)],
    ['First configured', one.addedMs === undefined ? html`not known` : html`${dayWords(zone, one.addedMs)}`],
    ['Token good until', expiry(snapshot, one.tokenExpiresMs)]
  ]
  return html`<h1>${stream}</h1>
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<section><h2>Last 24 hours</h2>${stripOf(snapshot, stream)}${chart(counts, fromMs, zone)}</section>
<section><h2>Not heard in the last 7 days</h2>${gaps(snapshot, week)}</section>
<section><h2>Last captures</h2>${folders(snapshot, stream)}</section>`
}

function gaps({ zone, report: { nowMs } }: Snapshot, week: StreamCoverage | undefined): Html {
  if (!week) return html`<p>Not known while the journal is not open.</p>`
  if (week.rest.length === 0) return html`<p>It was heard all the time.</p>`
  const shown = [...week.rest].reverse().slice(0, MOST_GAPS)
  const row = ({ fromUs, toUs, kind, cause, code }: Unheard): Html =>
    html`<tr><td>${time(zone, Math.floor(fromUs / 1000), nowMs)}</td><td>${spanWords((toUs - fromUs) / 1000)}</td><td>${kind === 'gap' ? 'not heard' : 'perhaps not all'}: ${cause}${code === undefined ? undefined : html` <code>${code}</code>`}</td></tr>`
  const left = week.rest.length - shown.length
  return html`<p>${shareWords(week.share)} heard.</p>
<table><thead><tr><th scope="col">From</th><th scope="col">For</th><th scope="col">Why</th></tr></thead><tbody>${shown.map(row)}</tbody></table>
${left > 0 ? html`<p>And ${countWords(left)} earlier ones: <code>understudy coverage</code> lists them all.</p>` : undefined}`
}

function folders({ sealed }: Snapshot, stream: string): Html {
  const found = sealed.flatMap(({ capture, folder, manifest }) => {
    const part = manifest.streams.find((one) => one.stream === stream)
    return part ? [{ capture, folder, part }] : []
  })
  if (found.length === 0) return html`<p>None here yet.</p>`
  const rows = found
    .reverse()
    .slice(0, MOST_FOLDERS)
    .map(({ capture, folder, part }) => {
      const { fromUs, toUs, heardUs } = part.coverage
      return html`<tr><td>${capture}/${folder}</td><td>${countWords(part.messages)}</td><td>${shareWords(toUs > fromUs ? heardUs / (toUs - fromUs) : 1)}</td></tr>`
    })
  return html`<table><thead><tr><th scope="col">Folder</th><th scope="col">Messages</th><th scope="col">Heard</th></tr></thead><tbody>${rows}</tbody></table>`
}
