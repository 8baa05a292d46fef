import type { Reason, Verdict } from '../../health/verdict.ts'
import { type Html, html } from '../html.ts'
import type { Snapshot } from '../snapshot.ts'
import { time } from '../words.ts'

const titles = { ok: 'OK', attention: 'Attention', failing: 'Failing', note: 'Note' } as const

/** Each has a form of its own besides its colour. */
const signs = {
  ok: 'M12 2a10 10 0 1 0 .1 0zM7 12l3.5 3.5L17 9',
  attention: 'M12 3L2 21h20zM12 10v5M12 17.5v1',
  failing: 'M8 2h8l6 6v8l-6 6H8l-6-6V8zM8 8l8 8M16 8l-8 8',
  note: 'M12 2a10 10 0 1 0 .1 0zM12 11v6M12 7v1'
} as const

/** How it stands, in one sentence, and what to do. */
export function verdictSection({ verdict, report, zone }: Snapshot): Html {
  const { state, sentence, reasons } = verdict
  const items = reasons.map((reason) => reasonItem(reason, reason.sinceMs && time(zone, reason.sinceMs, report.nowMs)))
  return html`<section class="verdict ${state}" aria-labelledby="sentence">
<h1 id="sentence">${sign(state)}<span class="state">${titles[state]}.</span> ${sentence}</h1>
${reasons.length > 0 ? html`<ul class="reasons">${items}</ul>` : undefined}
</section>`
}

function sign(state: Verdict['state'] | 'note'): Html {
  return html`<svg class="sign ${state}" aria-hidden="true" viewBox="0 0 24 24"><path d="${signs[state]}"/></svg>`
}

function reasonItem({ state, text, todo, stream }: Reason, since: Html | 0 | undefined): Html {
  const where = stream === undefined ? undefined : html` <a href="/streams/${stream}">Show ${stream}</a>`
  return html`<li class="${state}">${sign(state)}<div><p><span class="state">${titles[state]}:</span> ${text}${since ? html` (since ${since})` : undefined}.</p><p class="todo"><span class="state">What to do:</span> ${todo}.${where}</p></div></li>`
}
