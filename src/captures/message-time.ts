import type { Us } from '../world/time.ts'

/** In the year 2255: the last that µs count exactly. */
const LATEST_MS = 9_007_199_254_740

/** A parsed message's own time (`t`, ms since 1970), if it says one that can be. */
export function timeOf(message: unknown): Us | undefined {
  const { t } = (message ?? {}) as { t?: unknown }
  return typeof t === 'number' && t > 0 && t < LATEST_MS ? Math.round(t * 1000) : undefined
}
