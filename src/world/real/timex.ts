/** Of the kernel's `struct timex` on 64 bit (<sys/timex.h>): more than its size, and where things are in it. */
const TIMEX_BYTES = 256
const FREQUENCY_AT = 16
const MAX_ERROR_AT = 24
const STATUS_AT = 40
const STA_UNSYNC = 0x40

/** How the kernel steers its clock. */
export interface Timex {
  readonly synchronised: boolean
  /** ppm, scaled by 2^16. */
  readonly frequency: number
  readonly maxErrorUs: number
}

/** Gives what asks the kernel; that rejects where it may not be asked. */
export function timexReader(): () => Promise<Timex> {
  let adjtimex: Promise<(timex: Buffer) => number> | undefined
  return async () => {
    adjtimex ??= load()
    const timex = Buffer.alloc(TIMEX_BYTES) // all zero: asks, changes nothing
    if ((await adjtimex)(timex) === -1) throw new Error('adjtimex is refused here')
    return {
      synchronised: (timex.readInt32LE(STATUS_AT) & STA_UNSYNC) === 0,
      frequency: Number(timex.readBigInt64LE(FREQUENCY_AT)),
      maxErrorUs: Number(timex.readBigInt64LE(MAX_ERROR_AT))
    }
  }
}

/** Imported when first asked for: koffi costs 1.5 MB. */
async function load(): Promise<(timex: Buffer) => number> {
  const { default: koffi } = await import('koffi')
  return koffi.load('libc.so.6').func('int adjtimex(_Inout_ uint8_t *timex)')
}
