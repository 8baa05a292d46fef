import { readFile } from 'node:fs/promises'
import type { Programs } from '../programs.ts'
import type { Clock } from '../time.ts'
import { timexReader } from './timex.ts'

/**
 * The kernel's clocks. Wall time has the resolution of 1 ms only: nothing finer in Node's public interface follows
 * the system clock when it is stepped (`performance` counts on from the start of the process).
 */
export async function realClock(programs: Programs): Promise<Clock> {
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const timex = timexReader()

  return {
    boot,
    wallUs: () => Date.now() * 1000,
    monoUs() {
      // CLOCK_MONOTONIC, so that processes of one boot can compare; as cheap as Date.now().
      const [seconds, nanoseconds] = process.hrtime()
      return seconds * 1_000_000 + Math.floor(nanoseconds / 1000)
    },
    async synchronised() {
      try {
        return (await timex()).synchronised
      } catch {
        return askSystemd(programs)
      }
    }
  }
}

async function askSystemd(programs: Programs): Promise<boolean> {
  try {
    const args = ['show', '-p', 'NTPSynchronized', '--value']
    const { stdout } = await programs.run('timedatectl', args, { timeoutMs: 5000 })
    return stdout.trim() === 'yes'
  } catch {
    return false
  }
}
