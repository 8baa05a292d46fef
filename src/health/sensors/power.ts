import type { Occurrence, PowerReport } from '../report.ts'
import type { Kernel } from './kernel.ts'

const PLATFORM = '/sys/devices/platform'
const HWMON = '/sys/class/hwmon'
/** Of `get_throttled`: is so now; 16 bits further up, was so since the boot. */
const UNDER_VOLTAGE = 1 << 0
const CAPPED = 1 << 1
const THROTTLED = 1 << 2
const HOT = 1 << 3
const SINCE = 16

/**
 * What a Raspberry Pi's firmware says of its supply: `get_throttled` where the kernel shows it, and the alarm of the
 * driver rpi_volt. That one asks the firmware to forget what it tells, so what was once seen is kept here.
 */
export class Power {
  readonly #kernel: Kernel
  #paths: Promise<{ readonly throttled: string | undefined; readonly alarm: string | undefined }> | undefined
  #seen: Readonly<Record<string, boolean>> = {}

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  async read(): Promise<PowerReport | undefined> {
    this.#paths ??= this.#find()
    const { throttled, alarm } = await this.#paths
    const bits = throttled === undefined ? undefined : throttledBits(await this.#kernel.text(throttled))
    const alarmed = alarm === undefined ? undefined : await this.#kernel.number(alarm)
    if (bits === undefined && alarmed === undefined) return undefined
    const low = this.#occurrence('low', UNDER_VOLTAGE, bits ?? 0)
    const underVoltage = alarmed === 1 ? { now: true, since: true } : low
    this.#seen = { ...this.#seen, low: underVoltage.since }
    if (bits === undefined) return { underVoltage }
    return {
      underVoltage,
      throttled: this.#occurrence('slow', CAPPED | THROTTLED, bits),
      hot: this.#occurrence('hot', HOT, bits)
    }
  }

  #occurrence(name: string, mask: number, bits: number): Occurrence {
    const now = (bits & mask) !== 0
    const since = now || ((bits >> SINCE) & mask) !== 0 || this.#seen[name] === true
    this.#seen = { ...this.#seen, [name]: since }
    return { now, since }
  }

  async #find(): Promise<{ throttled: string | undefined; alarm: string | undefined }> {
    const found: { throttled: string | undefined; alarm: string | undefined } = {
      throttled: undefined,
      alarm: undefined
    }
    for (const soc of (await this.#kernel.names(PLATFORM)).filter((name) => name.startsWith('soc'))) {
      for (const name of await this.#kernel.names(`${PLATFORM}/${soc}`)) {
        const path = `${PLATFORM}/${soc}/${name}/get_throttled`
        if (name.endsWith(':firmware') && (await this.#kernel.has(path))) found.throttled = path
      }
    }
    for (const name of await this.#kernel.names(HWMON)) {
      if ((await this.#kernel.text(`${HWMON}/${name}/name`)) === 'rpi_volt')
        found.alarm = `${HWMON}/${name}/in0_lcrit_alarm`
    }
    return found
  }
}

/** It is hexadecimal, with 0x in front or without. */
function throttledBits(text: string | undefined): number | undefined {
  return text !== undefined && /^(0x)?[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : undefined
}
