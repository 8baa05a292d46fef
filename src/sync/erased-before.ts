import type { Config } from '../config/config.ts'
import type { Us } from '../world/time.ts'

/**
 * Before which time everything is to be erased now: the declared date once it has come, or an age ago.
 * @param nowUs a certain time
 */
export function erasedBeforeUs(eraseAfter: Config['sync']['eraseAfter'], nowUs: Us): Us | undefined {
  if (eraseAfter === undefined) return undefined
  if ('ageMs' in eraseAfter) return nowUs - eraseAfter.ageMs * 1000
  return nowUs >= eraseAfter.dateMs * 1000 ? eraseAfter.dateMs * 1000 : undefined
}
