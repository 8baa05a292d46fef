import type { Ms, Us } from '../../world/time.ts'
import type { WearReport } from '../report.ts'
import { type Kernel, numberIn } from './kernel.ts'
import { Pace } from './pace.ts'

const SECTOR_BYTES = 512
/** Where in /sys/block/…/stat the sectors written stand. */
const SECTORS_WRITTEN = 6
const HOUR_US = 3_600_000_000
const DAY_MS = 86_400_000
const YEAR_DAYS = 365.25
const reserves = { 1: 'normal', 2: 'warning', 3: 'urgent' } as const

/** What is written to a device, and how long it lasts. */
export class Wear {
  readonly #kernel: Kernel
  readonly #device: string
  readonly #enduranceBytes: number | undefined
  readonly #pace = new Pace(24 * HOUR_US, HOUR_US)
  #startBytes: number | undefined

  constructor(kernel: Kernel, device: string, enduranceBytes: number | undefined) {
    this.#kernel = kernel
    this.#device = device
    this.#enduranceBytes = enduranceBytes
  }

  async read(monoUs: Us, uptimeMs: Ms | undefined): Promise<WearReport | undefined> {
    const folder = `/sys/block/${this.#device}`
    const fields = (await this.#kernel.text(`${folder}/stat`))?.split(/\s+/)
    const sectors = numberIn(fields?.[SECTORS_WRITTEN])
    if (sectors === undefined) return undefined
    const bytes = sectors * SECTOR_BYTES
    this.#startBytes ??= bytes
    this.#pace.note(monoUs, bytes)
    const writtenPerDayBytes = this.#pace.aDay() ?? sinceBoot(bytes, uptimeMs)
    const endurance = this.#enduranceBytes
    return {
      device: this.#device,
      writtenBytes: bytes - this.#startBytes,
      writtenPerDayBytes,
      lifeYears:
        endurance === undefined || !writtenPerDayBytes ? undefined : endurance / writtenPerDayBytes / YEAR_DAYS,
      lifeUsed: lifeUsed(await this.#kernel.text(`${folder}/device/life_time`)),
      reserve: reserves[(await this.#kernel.number(`${folder}/device/pre_eol_info`)) as keyof typeof reserves]
    }
  }
}

function sinceBoot(bytes: number, uptimeMs: Ms = 0): number | undefined {
  return uptimeMs * 1000 < HOUR_US ? undefined : (bytes / uptimeMs) * DAY_MS
}

/** Two numbers, one for each kind of cell, in steps of 10 %, 0x0b for more than all; 0 says nothing. */
function lifeUsed(text: string | undefined): number | undefined {
  const steps = (text?.split(/\s+/) ?? []).map(numberIn).filter((step) => step !== undefined && step > 0)
  return steps.length === 0 ? undefined : Math.max(...(steps as number[])) / 10
}
