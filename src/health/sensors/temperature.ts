import type { Host } from '../../world/host.ts'
import type { Kernel } from './kernel.ts'

/** Of the processor, from the kernel where it tells, else from whom it costs more to ask. */
export class Temperature {
  readonly #kernel: Kernel
  readonly #host: Host
  /** Nobody knows. */
  #unknown = false

  constructor(kernel: Kernel, host: Host) {
    this.#kernel = kernel
    this.#host = host
  }

  async read(): Promise<number | undefined> {
    const thousandths = await this.#kernel.number('/sys/class/thermal/thermal_zone0/temp')
    if (thousandths !== undefined) return thousandths / 1000
    if (this.#unknown) return undefined
    const { temperatureC } = await this.#host.inquire()
    this.#unknown = temperatureC === undefined
    return temperatureC
  }
}
