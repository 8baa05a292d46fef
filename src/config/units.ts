import type { Ms } from '../world/time.ts'

/*
 * Our own and not a library's: the usual ones (ms, bytes, pretty-ms' relatives) take an unknown unit, "64KB" or a bare
 * number silently for something, and a wrong interval in a recorder shows only when data are missing.
 */

const durations: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const sizes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40
}

export const durationForm = 'a duration: a number with ms, s, m, h or d, like "500ms" or "24h"'
export const sizeForm = 'a size: a number with B, kB, MB, GB, TB or KiB, MiB, GiB, TiB, like "64kB" or "2GB"'

/**
 * A duration as people write it (`500ms`, `1.5 h`, `7d`) in ms, rounded to whole ones.
 * @throws RangeError that says what was found, in kind, and what is expected
 */
export function parseDuration(text: string): Ms {
  return parse(text, durations, durationForm)
}

/**
 * A size as people write it (`64kB`, `2 GB`, `1.5GiB`) in bytes, rounded to whole ones; kB, MB… are powers of 1000,
 * KiB, MiB… of 1024. The case counts.
 * @throws RangeError that says what was found, in kind, and what is expected
 */
export function parseSize(text: string): number {
  return parse(text, sizes, sizeForm)
}

function parse(text: string, units: Readonly<Record<string, number>>, form: string): number {
  const [, number, unit] = /^(\d{1,15}(?:\.\d{1,9})?) ?([A-Za-z]*)$/.exec(text) ?? []
  if (number === undefined || unit === undefined) throw new RangeError(`found other text, expected ${form}`)
  if (unit === '') throw new RangeError(`found a number without a unit, expected ${form}`)
  if (!Object.hasOwn(units, unit)) throw new RangeError(`found an unknown unit, expected ${form}`)
  const value = Math.round(Number(number) * units[unit]!)
  if (!Number.isSafeInteger(value)) throw new RangeError(`found too large a number, expected ${form}`)
  return value
}
