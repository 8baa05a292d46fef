import type { Disk } from '../../src/sim/world/disk.ts'
import type { Simulation } from '../../src/sim/world/simulation.ts'
import type { Ms, Us } from '../../src/world/time.ts'

/** The disk of the Pi, and what is the matter with it. */
export class PiDisk {
  readonly disk: Disk
  readonly #simulation: Simulation
  readonly #syncMs: Ms
  /** Called when something of it works again. */
  readonly #mended: () => void
  /** Its size, while it is full. */
  #sizeBytes: number | undefined
  #slow = false
  #stalledUntilUs: Us = 0

  /** @param syncMs the slowest sync while it is well */
  constructor(disk: Disk, simulation: Simulation, syncMs: Ms, mended: () => void) {
    this.disk = disk
    this.#simulation = simulation
    this.#syncMs = syncMs
    this.#mended = mended
    this.#setPace(false)
  }

  get isFull(): boolean {
    return this.#sizeBytes !== undefined
  }

  /** Whether it takes what is written to it. */
  get works(): boolean {
    const { readOnly, failsAfterBytes, unreadable, syncFails } = this.disk
    return !readOnly && failsAfterBytes === Number.POSITIVE_INFINITY && !unreadable && !syncFails && !this.isFull
  }

  /** The same, in the time that it usually takes. */
  get isWell(): boolean {
    return this.works && !this.#slow && this.#simulation.nowUs >= this.#stalledUntilUs
  }

  fill(chance: number): void {
    if (this.isFull) return
    this.#sizeBytes = this.disk.capacityBytes
    this.disk.capacityBytes += Math.round(((chance * 1000) % 1) ** 2 * 30_000) - this.disk.freeBytes
    if ((chance * 10) % 1 < 0.5) this.#keepFull()
  }

  /** What becomes free is taken at once by somebody else. */
  #keepFull(): void {
    if (!this.isFull) return
    this.disk.capacityBytes -= this.disk.freeBytes
    this.#simulation.schedule(500_000, () => this.#keepFull())
  }

  free(): void {
    if (this.#sizeBytes !== undefined) this.disk.capacityBytes = this.#sizeBytes
    this.#sizeBytes = undefined
    this.#mended()
  }

  setReadOnly(readOnly: boolean): void {
    this.disk.readOnly = readOnly
    if (!readOnly) this.#mended()
  }

  /** @param bytes after so many more bytes every write fails; `undefined`: none does any more */
  setFailing(bytes: number | undefined): void {
    this.disk.failsAfterBytes = bytes ?? Number.POSITIVE_INFINITY
    if (bytes === undefined) this.#mended()
  }

  setSyncFails(fails: boolean): void {
    this.disk.syncFails = fails
    if (!fails) this.#mended()
  }

  setUnreadable(unreadable: boolean): void {
    this.disk.unreadable = unreadable
    if (!unreadable) this.#mended()
  }

  stall(ms: Ms): void {
    this.#stalledUntilUs = this.#simulation.nowUs + ms * 1000
    this.disk.stall(ms)
  }

  setSlow(slow: boolean): void {
    this.#slow = slow
    this.#setPace(slow)
  }

  #setPace(slow: boolean): void {
    this.disk.pace = slow
      ? { changeUs: [0, 50_000], syncUs: [100_000, 4_000_000] }
      : { changeUs: [0, this.#syncMs * 10], syncUs: [this.#syncMs * 100, this.#syncMs * 1000] }
  }

  /** Everything about it is put right. */
  heal(): void {
    this.disk.readOnly = false
    this.disk.failsAfterBytes = Number.POSITIVE_INFINITY
    this.disk.unreadable = false
    this.disk.syncFails = false
    this.setSlow(false)
    this.free()
  }
}
