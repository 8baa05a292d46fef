import { Journal } from '../../src/journal/journal.ts'
import type { Log } from '../../src/log.ts'
import { realWorld } from '../../src/world/real.ts'
import type { World } from '../../src/world/world.ts'

const quiet = (): void => undefined
export const log: Log = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: (fields, message) => console.error(message, fields)
}

/** A time in days from the first message, in µs since 1970. */
export function dayUs(day: number): number {
  return (Date.UTC(2026, 0, 5) + day * 86_400_000) * 1000
}

/** This machine, at a time that is told. */
export async function worldAt(clock: { nowUs: number }): Promise<World> {
  const real = await realWorld()
  return {
    ...real,
    clock: {
      boot: real.clock.boot,
      wallUs: () => clock.nowUs,
      monoUs: () => clock.nowUs - dayUs(-1),
      synchronised: async () => true
    }
  }
}

/** Opens the journal in a folder with the defaults of `run`, at a time that is told. */
export async function openJournal(directory: string, clock: { nowUs: number }): Promise<Journal> {
  const options = { storeBytes: 256 * 1024 ** 2, storeAgeMs: 7 * 86_400_000, commitIntervalMs: 500, reserveBytes: 0 }
  return Journal.open(await worldAt(clock), { directory, clockTrusted: true, version: 'bench', ...options }, log)
}
