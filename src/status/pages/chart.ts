import type { Zone } from '../../captures/zone.ts'
import type { Ms } from '../../world/time.ts'
import { BIN_MS } from '../activity.ts'
import { type Html, html } from '../html.ts'
import { countWords, timeWords } from '../words.ts'

const [WIDTH, HEIGHT] = [96 * 4, 100]

/** How many frames came in each quarter of an hour. */
export function chart(counts: readonly number[], fromMs: Ms, zone: Zone): Html {
  const most = Math.max(...counts, 1)
  const width = WIDTH / counts.length
  const bars = counts.map((count, index) => {
    const height = Math.ceil((count / most) * HEIGHT)
    return height === 0 ? '' : `M${round(index * width)} ${HEIGHT}v${-height}h${round(width * 0.8)}v${height}z`
  })
  const hours = [0, 6, 12, 18].map((hour) => {
    const atMs = fromMs + hour * 4 * BIN_MS
    return html`<text x="${hour * 4 * width}" y="${HEIGHT + 14}">${timeWords(zone, atMs, atMs)}</text>`
  })
  return html`<svg class="chart" role="img" aria-label="${chartWords(counts, fromMs, zone)}" viewBox="0 0 ${WIDTH} ${HEIGHT + 18}"><path class="axis" d="M0 ${HEIGHT}H${WIDTH}"/><path class="bars" d="${bars.join('')}"/>${hours}</svg>`
}

function chartWords(counts: readonly number[], fromMs: Ms, zone: Zone): string {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return 'No messages in the last 24 hours'
  const most = Math.max(...counts)
  const atMs = fromMs + counts.indexOf(most) * BIN_MS
  return `${countWords(total)} messages in the last 24 hours, at most ${countWords(most)} in a quarter of an hour, from ${timeWords(zone, atMs, atMs)}`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
