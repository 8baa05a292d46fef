import type { Zone } from '../captures/zone.ts'
import type { Ms } from '../world/time.ts'
import { type Html, html } from './html.ts'

const SECOND_MS = 1000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** `12:05` on the site's wall, `2 Nov 12:05` on another day than today. */
export function timeWords(zone: Zone, atMs: Ms, nowMs: Ms): string {
  const [date, time] = wallTime(zone, atMs)
  return zone.date(nowMs * 1000) === zone.date(atMs * 1000) ? time : `${date} ${time}`
}

/** `12:05:07` */
export function clockWords(zone: Zone, atMs: Ms): string {
  return zone.iso(Math.floor(atMs / 1000) * 1_000_000).slice(11, 19)
}

/** `2 Nov 2026` */
export function dayWords(zone: Zone, atMs: Ms): string {
  const wall = new Date(zone.wallMs(atMs * 1000))
  return `${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]} ${wall.getUTCFullYear()}`
}

/** The same with the exact instant for programs. */
export function time(zone: Zone, atMs: Ms, nowMs: Ms): Html {
  return html`<time datetime="${new Date(atMs).toISOString()}">${timeWords(zone, atMs, nowMs)}</time>`
}

/** `20 s`, `3 min`, `2 h 10 min`, `4 d 3 h`: how long something was, in the two largest units that say something. */
export function spanWords(ms: Ms): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / SECOND_MS)} s`
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`
  const [unitMs, partMs, unit, part] = ms < DAY_MS ? [HOUR_MS, MINUTE_MS, 'h', 'min'] : [DAY_MS, HOUR_MS, 'd', 'h']
  const rest = Math.floor((ms % unitMs) / partMs)
  return `${Math.floor(ms / unitMs)} ${unit}${rest === 0 ? '' : ` ${rest} ${part}`}`
}

/** `100 %` only of the whole. */
export function shareWords(share: number): string {
  return share >= 1 ? '100 %' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`
}

/** `12.3 GB` */
export function sizeWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)))
  const value = bytes / 1000 ** step
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`
}

/** `1,234` */
export function countWords(count: number): string {
  return count.toLocaleString('en')
}

/** `1 gap`, `2 gaps` */
export function pluralWords(count: number, noun: string): string {
  return `${countWords(count)} ${noun}${count === 1 ? '' : 's'}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function wallTime(zone: Zone, atMs: Ms): [date: string, time: string] {
  const wall = new Date(zone.wallMs(atMs * 1000))
  return [`${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]}`, wall.toISOString().slice(11, 16)]
}
