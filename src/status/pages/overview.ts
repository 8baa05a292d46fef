import { explain } from '../../errors.ts'
import type { DiskReport, MachineReport } from '../../health/report.ts'
import { type Html, html, live, type Part } from '../html.ts'
import type { Snapshot } from '../snapshot.ts'
import { clockWords, dayWords, pluralWords, shareWords, sizeWords, spanWords, time } from '../words.ts'
import { folderShare } from './captures.ts'
import { streamsSection } from './streams.ts'
import { verdictSection } from './verdict.ts'

/** Folders of a capture that are listed. */
const LAST = 3

/** All of it at a glance. */
export function overview(snapshot: Snapshot): Html {
  const { report, zone } = snapshot
  return html`${verdictSection(snapshot)}
<p class="as-of">As of ${live('as-of', clockWords(zone, report.nowMs))} (${zone.name})</p>
${streamsSection(snapshot)}
<div class="cards">${capturesCard(snapshot)}${syncCard(snapshot)}${primaryCard(snapshot)}${report.machine.disks.map(diskCard(snapshot))}${machineCard(snapshot)}</div>`
}

function card(title: string, facts: ReadonlyArray<readonly [string, Part] | undefined>, more?: Html): Html {
  const rows = facts.flatMap((fact) => (fact ? [html`<div><dt>${fact[0]}</dt><dd>${fact[1]}</dd></div>`] : []))
  return html`<section class="card"><h2>${title}</h2>${rows.length > 0 ? html`<dl>${rows}</dl>` : undefined}${more}</section>`
}

function capturesCard({ captures, sealed, zone, report: { nowMs } }: Snapshot): Html {
  if (captures.length === 0) return card('Captures', [], html`<p>None are configured.</p>`)
  const facts = captures.flatMap(({ capture, sealed: made, due = [], next, waitingUs }) => {
    const last = made
      .slice(-LAST)
      .reverse()
      .map(({ folder, confirmed, removed }) => {
        const manifest = sealed.find((one) => one.capture === capture && one.folder === folder)?.manifest
        const share = manifest && `, ${shareWords(folderShare(manifest))} covered`
        return html`<li>${folder}: ${removed ? 'made, removed here' : 'made'}${confirmed ? ', confirmed by the primary' : ''}${share}</li>`
      })
    const late =
      due.length > 0 ? html`<li><strong>${pluralWords(due.length, 'window')} not made yet</strong></li>` : undefined
    const waits = waitingUs > 0 ? html`<li>It waits for the time to be known.</li>` : undefined
    const coming = next && html`<li>Next: ends ${time(zone, next.toUs / 1000, nowMs)}</li>`
    return [
      [
        capture,
        html`<ul>${late}${waits}${last.length > 0 ? last : html`<li>None made yet</li>`}${coming}</ul>`
      ] as const
    ]
  })
  return card('Captures', facts, html`<p><a href="/captures/">All sealed folders</a></p>`)
}

function syncCard({ report: { sync, nowMs }, sync: handed, zone }: Snapshot): Html {
  const title = 'Handing over to the primary'
  if (!sync) return card(title, [], html`<p>Not known yet.</p>`)
  if (!sync.configured) return card(title, [], html`<p>No primary is configured ([sync] target).</p>`)
  const { failure, doneMs, behindSinceMs, differing } = sync
  return card(title, [
    ['Handed over and confirmed', pluralWords(sync.confirmed, 'folder')],
    ['Handed over, not confirmed', handed && pluralWords(handed.waiting.length, 'folder')],
    ['Not handed over yet', handed && pluralWords(handed.unsent.length, 'folder')],
    behindSinceMs === undefined ? undefined : ['The oldest of these sealed', time(zone, behindSinceMs, nowMs)],
    differing.length === 0 ? undefined : ['Other content there', differing.join(', ')],
    ['Last pass that went well', doneMs === undefined ? 'none yet' : time(zone, doneMs, nowMs)],
    failure && ['Fails since', html`${time(zone, failure.sinceMs, nowMs)}: ${explain(failure.code).what}`]
  ])
}

function primaryCard({ report: { primary, nowMs }, zone }: Snapshot): Html {
  if (!primary) return card('Primary', [], html`<p>Whether it answers its students is not known yet.</p>`)
  const { available, sinceMs, standingIn } = primary
  return card('Primary', [
    [available ? 'Answers its students since' : 'Silent since', time(zone, sinceMs, nowMs)],
    ['This machine answers in its place', standingIn ? 'yes' : 'no']
  ])
}

function diskCard({ zone, report: { nowMs } }: Snapshot): (disk: DiskReport) => Html {
  return ({ use, freeBytes, totalBytes, freeInodes, totalInodes, fullMs, minFreeBytes, wear }) =>
    card(`Disk of the ${use}`, [
      ['Free', live(`free-${use.replace(' ', '-')}`, `${sizeWords(freeBytes)} of ${sizeWords(totalBytes)}`)],
      ['Kept free', sizeWords(minFreeBytes)],
      [
        'Full, at this pace',
        fullMs === undefined
          ? 'not to be expected'
          : html`<time datetime="${new Date(fullMs).toISOString()}">${dayWords(zone, Math.max(fullMs, nowMs))}</time>`
      ],
      freeInodes === undefined || !totalInodes ? undefined : ['Free inodes', shareWords(freeInodes / totalInodes)],
      wear && [
        'Written since the start',
        live(`written-${use.replace(' ', '-')}`, `${sizeWords(wear.writtenBytes)} (${wear.device})`)
      ],
      ['Written a day', wear?.writtenPerDayBytes === undefined ? 'not known yet' : sizeWords(wear.writtenPerDayBytes)],
      [
        'Life at this pace',
        wear?.lifeYears === undefined ? 'not known' : `${wear.lifeYears.toFixed(1)} years, counted from new`
      ],
      [
        'Life used, by its registers',
        wear?.lifeUsed === undefined ? 'not shown by the device' : shareWords(wear.lifeUsed)
      ],
      wear?.reserve && ['Reserve of blocks', wear.reserve]
    ])
}

function machineCard({ report, zone }: Snapshot): Html {
  const { machine, clock, startedMs, nowMs, journal } = report
  const { memory, load, network, temperatureC } = machine
  const unknown = 'not known'
  return card('Health', [
    ['Machine', machine.model ?? unknown],
    ['Recording since', time(zone, startedMs, nowMs)],
    ['Running for', live('uptime', machine.uptimeMs === undefined ? unknown : spanWords(machine.uptimeMs))],
    ['Last boot ended by', machine.bootCause ?? unknown],
    ['Clock', clockText(report)],
    ['Temperature', live('temperature', temperatureC === undefined ? unknown : `${Math.round(temperatureC)} °C`)],
    ['Power', powerText(machine)],
    [
      'Memory available',
      live('memory', memory ? `${sizeWords(memory.availableBytes)} of ${sizeWords(memory.totalBytes)}` : unknown)
    ],
    [
      'Load',
      live('load', load ? `${load.one.toFixed(2)}, ${load.five.toFixed(2)}, ${load.fifteen.toFixed(2)}` : unknown)
    ],
    [
      'Network',
      network
        ? `${network.interface ?? 'no way out'}, ${network.up ? 'up' : 'down'}${network.signalDbm === undefined ? '' : `, ${network.signalDbm} dBm`}`
        : unknown
    ],
    ['Waiting for the disk', live('pending', sizeWords(journal.pendingBytes))],
    ['Clock corrected by', clock.driftPpm === undefined ? unknown : live('drift', `${clock.driftPpm.toFixed(1)} ppm`)]
  ])
}

function clockText({ clock }: Snapshot['report']): string {
  const by = clock.by === undefined ? '' : ` by ${clock.by}`
  if (clock.source === 'none') return 'the time is not known'
  return clock.synchronised ? `synchronised${by}` : `not synchronised; held to be right by ${clock.source}`
}

/** What is so now comes before what has been. */
function powerText({ power }: MachineReport): string {
  if (!power) return 'not known'
  const names = { underVoltage: 'under-voltage', throttled: 'throttled', hot: 'slowed down by heat' } as const
  const said = Object.entries(names).flatMap(([key, name]) => {
    const seen = power[key as keyof typeof names]
    return seen?.now ? [`${name} now`] : seen?.since ? [`${name} since the boot`] : []
  })
  return said.join(', ') || 'good'
}
