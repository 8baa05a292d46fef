import type { Verdict, VerdictState } from '../../health/verdict.ts'
import { type Command, dataOptions, jsonOption } from '../command.ts'
import { configOf } from '../configuration.ts'
import { diskProblems } from '../disk-text.ts'
import { requireRunning } from '../local/open.ts'
import type { Status, StreamStatus } from '../local/status.ts'
import { table } from '../table.ts'
import { countText, durationText, plural } from '../text.ts'

const DAY_MS = 86_400_000
const exitCodes: Readonly<Record<VerdictState, number>> = { ok: 0, attention: 1, failing: 5 }

export const status: Command = {
  name: 'status',
  summary: 'says whether everything is being kept, and what is heard at this moment',
  operandCount: { min: 0, max: 0 },
  description: [
    'Asks the Understudy that runs on the data folder how everything stands. First comes the verdict in one sentence, then each reason with what to do: FAILING for what is being lost or will be within a day, ATTENTION for what needs somebody within days, NOTE for what is only worth knowing. docs/health.md has the rules.',
    'Then come its streams: whether each is heard, why not, how many frames have come since the start and when the last one came, and how long its token is good; and how far the graphs of students have been computed. Says also where what comes is written, and why that is not the data disk where one is configured.'
  ],
  options: { ...dataOptions, ...jsonOption },
  exits: {
    0: 'Everything is being kept.',
    1: 'It is, and somebody should look; or only another command works on the data folder.',
    4: 'None runs.',
    5: 'Something is being lost, or will be within a day.'
  },
  examples: [['status --json', 'For a script.']],
  async run(call) {
    const { data } = await configOf(call)
    const found = await (await requireRunning(call.world, data.directory)).status()
    await call.terminal.out(call.options.has('json') ? `${JSON.stringify(found)}\n` : statusText(found))
    return exitCodes[found.health?.verdict.state ?? 'attention']
  }
}

function statusText(status: Status): string {
  const { version, site, startedUs, nowUs, journal, graphs, streams, sync, problems, health } = status
  const rows = streams.map((stream) => [
    stream.stream,
    stateText(stream),
    countText(stream.frames),
    stream.lastUs === undefined ? '-' : `${durationText(Math.max(nowUs - stream.lastUs, 0))} ago`,
    stream.tokenExpiresMs === undefined
      ? '-'
      : plural(Math.floor((stream.tokenExpiresMs - nowUs / 1000) / DAY_MS), 'day'),
    primaryText(stream.primary)
  ])
  const all: Status['problems'] = [...problems, ...sync.problems]
  return [
    ...(health ? verdictLines(health.verdict) : ['A command works on the data folder; nothing is being recorded.']),
    '',
    `${site}: understudy ${version}, recording for ${durationText(Math.max(nowUs - startedUs, 0))} into ${placeOf(journal)}`,
    ...diskProblems(journal.disk),
    `${plural(journal.nextPosition - journal.firstPosition, 'record')}, ${plural(journal.pendingBytes, 'byte')} not yet on the disk`,
    ...graphsText(graphs, journal.nextPosition),
    handedText(sync),
    '',
    table(['STREAM', 'STATE', '>FRAMES', '>LAST FRAME', '>TOKEN GOOD FOR', 'PRIMARY'], rows).trimEnd(),
    ...all.map(({ code, detail, stream }) => `${code}: ${stream ? `${stream}: ` : ''}${detail}`),
    ''
  ].join('\n')
}

function graphsText(graphs: Status['graphs'], nextPosition: number): string[] {
  if (!graphs) return []
  const behind = nextPosition - graphs.position
  const anew = graphs.rebuilding === undefined ? '' : `, computed anew up to record ${countText(graphs.rebuilding)}`
  return [`students' graphs ${behind > 0 ? `${plural(behind, 'record')} behind` : 'up to date'}${anew}`]
}

function verdictLines({ sentence, reasons }: Verdict): string[] {
  const told = reasons.flatMap(({ state, text, todo, sinceMs }) => {
    const since = sinceMs === undefined ? '' : ` (since ${new Date(sinceMs).toISOString().slice(0, 16)}Z)`
    return [`${state.toUpperCase().padEnd(9)}  ${text}${since}`, `           ${todo}`]
  })
  return [sentence, ...told]
}

function handedText({ confirmed, unsent, waiting, erasing, failure }: Status['sync']): string {
  const parts = [`${plural(confirmed, 'folder')} with the primary, proved`]
  if (unsent.length > 0) parts.push(`${unsent.length} not sent yet`)
  if (waiting.length > 0) parts.push(`${waiting.length} without a receipt`)
  if (failure) {
    const next =
      failure.nextMs === undefined ? 'not tried again' : `next attempt ${new Date(failure.nextMs).toISOString()}`
    parts.push(`${plural(failure.count, 'failed attempt')}, ${next}`)
  }
  if (erasing.length > 0) {
    const first = new Date(Math.min(...erasing.map(({ atMs }) => atMs))).toISOString()
    const lost = erasing.filter((folder) => !folder.confirmed).length
    parts.push(
      `${plural(erasing.length, 'folder')} to be erased here from ${first} on, ${lost} of them not with the primary`
    )
  }
  return parts.join(', ')
}

/** How the primary has answered what was asked there since the start. */
function primaryText(primary: StreamStatus['primary']): string {
  if (!primary) return '-'
  const { silent, asked, replied, repliedUs, stoodIn } = primary
  const took = replied > 0 ? ` in ${(repliedUs / replied / 1e6).toFixed(1)} s` : ''
  const parts = [`${silent ? 'silent, ' : ''}${countText(replied)} of ${countText(asked)} replies${took}`]
  if (stoodIn > 0) parts.push(`${countText(stoodIn)} by Pis`)
  return parts.join(', ')
}

function placeOf({ directory, disk }: Status['journal']): string {
  return disk.used ? (disk.mount ?? directory) : directory
}

function stateText({ heard, cause = 'not connected yet', code }: StreamStatus): string {
  if (heard) return 'heard'
  return code ? `${cause} (${code})` : cause
}
