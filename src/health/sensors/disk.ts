import type { Files } from '../../world/files.ts'
import type { Ms, Us } from '../../world/time.ts'
import type { DiskReport } from '../report.ts'
import { deviceOf } from './device.ts'
import type { Kernel } from './kernel.ts'
import { Pace } from './pace.ts'
import { Wear } from './wear.ts'

const DAY_US = 86_400_000_000
const DAY_MS = 86_400_000
/** What is further off is no forecast. */
const FAR_DAYS = 3650

export interface DiskPlace {
  readonly use: DiskReport['use']
  readonly path: string
  readonly minFreeBytes: number
  readonly enduranceBytes: number | undefined
}

/** A disk that is written to: how much room it has, when it will be full, and how it wears. */
export class DiskSensor {
  readonly place: DiskPlace
  readonly #files: Files
  readonly #kernel: Kernel
  /** A day at least: a capture is sealed once a day. */
  readonly #pace = new Pace(7 * DAY_US, DAY_US)
  #device: string | undefined
  #wear: Wear | undefined

  constructor(files: Files, kernel: Kernel, place: DiskPlace) {
    this.#files = files
    this.#kernel = kernel
    this.place = place
  }

  /** @param at monotonic and wall time, and how long the machine runs */
  async read(at: { monoUs: Us; nowMs: Ms; uptimeMs: Ms | undefined }): Promise<DiskReport | undefined> {
    const { use, path, minFreeBytes } = this.place
    const space = await this.#files.space(path).catch(() => undefined)
    if (!space) return undefined
    const { freeBytes } = space
    this.#pace.note(at.monoUs, freeBytes)
    const days = (freeBytes - minFreeBytes) / -(this.#pace.aDay() ?? 0)
    const fullMs = days > 0 && days < FAR_DAYS ? at.nowMs + days * DAY_MS : undefined
    await this.#findDevice()
    return { use, ...space, minFreeBytes, fullMs, wear: await this.#wear?.read(at.monoUs, at.uptimeMs) }
  }

  /** Another one may be mounted there by now. */
  async #findDevice(): Promise<void> {
    const device = await deviceOf(this.#files, this.#kernel, this.place.path)
    if (device === this.#device) return
    this.#device = device
    this.#wear = device === undefined ? undefined : new Wear(this.#kernel, device, this.place.enduranceBytes)
  }
}
