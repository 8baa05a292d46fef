import type { StreamCoverage, Unheard } from '../journal/reading.ts'
import type { Us } from '../world/time.ts'
import { countText, durationText, plural, shareText, timeText } from './text.ts'

/** Columns of text under their titles; a title that begins with `>` has its column at the right. */
export function table(titles: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const heads = titles.map((title) => title.replace(/^>/, ''))
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        titles[column]?.startsWith('>') ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
      )
      .join('  ')
      .trimEnd()
  return [heads, ...rows].map((cells) => `${line(cells)}\n`).join('')
}

/** How much of each stream was heard, and what was not. */
export function coverageTable(streams: readonly StreamCoverage[]): string {
  const summary = table(
    ['STREAM', '>HEARD', 'FROM', 'TO', 'GAPS', 'UNCERTAIN'],
    streams.map(({ stream, share, fromUs, toUs, rest }) => [
      stream,
      shareText(share),
      timeText(fromUs),
      timeText(toUs),
      totalOf(rest, 'gap'),
      totalOf(rest, 'uncertain')
    ])
  )
  const rest = streams.flatMap(({ stream, rest }) => rest.map((part) => [stream, ...unheardCells(part)]))
  return rest.length === 0
    ? summary
    : `${summary}\n${table(['STREAM', 'NOT HEARD', 'FROM', 'TO', '>LENGTH', 'CAUSE'], rest)}`
}

function unheardCells({ kind, fromUs, toUs, cause, code }: Unheard): string[] {
  return [kind, timeText(fromUs), timeText(toUs), durationText(toUs - fromUs), code ? `${cause} (${code})` : cause]
}

function totalOf(rest: readonly Unheard[], kind: Unheard['kind']): string {
  const parts = rest.filter((part) => part.kind === kind)
  if (parts.length === 0) return '-'
  return `${parts.length} (${durationText(parts.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0))})`
}

/** A stream in a demo's table. */
export interface LiveRow {
  readonly stream: string
  readonly heard: boolean
  readonly messages: number
  readonly messagesPerSecond: number
  readonly lastUs: Us | undefined
  readonly gaps: number
}

/** What is being recorded at this moment. */
export function liveTable(rows: readonly LiveRow[], nowUs: Us): string {
  return table(
    ['STREAM', 'STATE', '>MESSAGES', '>RATE', '>LAST HEARD', '>GAPS'],
    rows.map(({ stream, heard, messages, messagesPerSecond, lastUs, gaps }) => [
      stream,
      heard ? 'heard' : 'not heard',
      countText(messages),
      `${messagesPerSecond.toFixed(1)}/s`,
      lastUs === undefined ? 'never' : `${durationText(Math.max(nowUs - lastUs, 0))} ago`,
      countText(gaps)
    ])
  )
}

/** The same in one line, for where no terminal looks on. */
export function liveLine(rows: readonly LiveRow[]): string {
  const sum = (of: (row: LiveRow) => number): number => rows.reduce((total, row) => total + of(row), 0)
  const rate = sum((row) => row.messagesPerSecond).toFixed(1)
  const heard = rows.filter((row) => row.heard).length
  return `${heard} of ${plural(rows.length, 'stream')} heard, ${plural(
    sum((row) => row.messages),
    'message'
  )}, ${rate}/s\n`
}
