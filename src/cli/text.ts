import type { Us } from '../world/time.ts'

/** `2026-11-21T09:30:00.250Z` */
export function timeText(us: Us): string {
  return new Date(us / 1000).toISOString()
}

/** `250 ms`, `12.5 s`, `3 min 5 s`, `2 h 10 min`, `4 d 3 h` */
export function durationText(us: Us): string {
  const seconds = us / 1e6
  if (seconds < 1) return `${Math.round(us / 1000)} ms`
  if (seconds < 60) return `${Math.floor(seconds * 10) / 10} s`
  const whole = Math.floor(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`
}

/** `100 %` only of the whole: what is nearly all is rounded down. */
export function shareText(share: number): string {
  return share === 1 ? '100 %' : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`
}

/** `1,234,567` */
export function countText(count: number): string {
  return count.toLocaleString('en')
}

/** `1 gap`, `2 gaps` */
export function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`
}
