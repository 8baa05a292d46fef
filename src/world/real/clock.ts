import { readFile } from 'node:fs/promises'
import type { Programs } from '../programs.ts'
import type { Clock } from '../time.ts'

/** Of the kernel's `struct timex` on 64 bit (<sys/timex.h>): more than its size, and where `status` is in it. */
const TIMEX_BYTES = 256
const STATUS_AT = 40
const STA_UNSYNC = 0x40

/**
 * The kernel's clocks. Wall time has the resolution of 1 ms only: nothing finer in Node's public interface follows
 * the system clock when it is stepped (`performance` counts on from the start of the process).
 */
export async function realClock(programs: Programs): Promise<Clock> {
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  let adjtimex: Promise<(timex: Buffer) => number> | undefined

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
        adjtimex ??= loadAdjtimex()
        const timex = Buffer.alloc(TIMEX_BYTES) // all zero: asks, changes nothing
        if ((await adjtimex)(timex) === -1) throw new Error('adjtimex is refused here')
        return (timex.readInt32LE(STATUS_AT) & STA_UNSYNC) === 0
      } catch {
        return askSystemd(programs)
      }
    }
  }
}

/** Imported when first asked for: koffi costs 1.5 MB. */
async function loadAdjtimex(): Promise<(timex: Buffer) => number> {
  const { default: koffi } = await import('koffi')
  return koffi.load('libc.so.6').func('int adjtimex(_Inout_ uint8_t *timex)')
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
