import { writeDurably } from '../world/files.ts'
import { keepNewer } from '../world/newer-file.ts'
import type { Ms } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { MachineReport } from './report.ts'
import type { JournalFacts, StreamFacts } from './rooms.ts'

/** Of a watchdog's `bootstatus`: it was the one that reset the machine. */
const WDIOF_CARDRESET = 0x20
const FORMAT = 1
const causes = ['power cut', 'reboot', 'watchdog'] as const

interface Kept {
  readonly format: typeof FORMAT
  /** The boot it was written in, and whether the recorder had ended as it should. */
  readonly boot: string
  readonly ended: boolean
  readonly bootCause?: MachineReport['bootCause']
  readonly streams: Readonly<Record<string, Remembered>>
}

interface Remembered {
  readonly addedMs?: Ms
  readonly spoke: boolean
}

/** What must be known after a restart, in a small file: how the last boot ended, and since when there is each stream. */
export class HealthMemory {
  readonly #world: World
  readonly #path: string
  #kept: Kept
  #saved: Kept | undefined

  private constructor(world: World, path: string, kept: Kept) {
    this.#world = world
    this.#path = path
    this.#kept = kept
  }

  /**
   * A file that cannot be read is as none: then nobody knows how the last boot ended. One of a newer release is kept
   * beside.
   */
  static async open(world: World, directory: string, bootStatus: number | undefined): Promise<HealthMemory> {
    const path = `${directory}/health.json`
    await keepNewer(world.files, path, FORMAT).catch(() => {})
    const before = await readKept(world, path)
    const { boot } = world.clock
    const causeOf = ({ ended }: Pick<Kept, 'ended'>): MachineReport['bootCause'] => {
      if (((bootStatus ?? 0) & WDIOF_CARDRESET) !== 0) return 'watchdog'
      return ended ? 'reboot' : 'power cut'
    }
    const bootCause = before && (before.boot === boot ? before.bootCause : causeOf(before))
    const streams = before?.streams ?? {}
    return new HealthMemory(world, path, {
      format: FORMAT,
      boot,
      ended: false,
      ...(bootCause && { bootCause }),
      streams
    })
  }

  get bootCause(): MachineReport['bootCause'] {
    return this.#kept.bootCause
  }

  of(stream: string): Remembered | undefined {
    return this.#kept.streams[stream]
  }

  /** Takes note of what there is now. What is gone stays: a command that records one stream knows only of that. */
  take(streams: readonly StreamFacts[], { nowUs, source }: JournalFacts): void {
    const known = Object.fromEntries(
      streams.map(({ stream, spoke, frames }) => {
        const before = this.of(stream)
        // A day that was only guessed is none.
        const addedMs = before?.addedMs ?? (source === 'none' ? undefined : Math.floor(nowUs / 1000))
        const remembered = { ...(addedMs !== undefined && { addedMs }), spoke: before?.spoke || spoke || frames > 0 }
        return [stream, same(before, remembered) ? before : remembered]
      })
    ) as Record<string, Remembered>
    const before = this.#kept.streams
    const isSame = Object.keys(known).every((name) => known[name] === before[name])
    if (!isSame) this.#kept = { ...this.#kept, streams: { ...before, ...known } }
  }

  /** Writes what has changed. Where there is no room it is tried again at the next call. */
  async save(): Promise<void> {
    const kept = this.#kept
    if (kept === this.#saved) return
    try {
      await writeDurably(this.#world.files, this.#path, `${JSON.stringify(kept)}\n`)
      this.#saved = kept
    } catch {
      // That the disk cannot be written is told by the commits.
    }
  }

  /** The recorder ends as it should. */
  async end(): Promise<void> {
    this.#kept = { ...this.#kept, ended: true }
    await this.save()
  }
}

function same(a: Remembered | undefined, b: Remembered): boolean {
  return a?.addedMs === b.addedMs && a?.spoke === b.spoke
}

/** Only what can be right of it. */
async function readKept({ files }: World, path: string): Promise<Omit<Kept, 'format'> | undefined> {
  try {
    const { format, boot, ended, bootCause, streams } = JSON.parse((await files.readFile(path)).toString()) as Kept
    if (format !== FORMAT || typeof boot !== 'string') return undefined
    const known = Object.entries(streams).map(([stream, { addedMs, spoke }]): [string, Remembered] => {
      const isTime = typeof addedMs === 'number'
      return [stream, { ...(isTime && { addedMs }), spoke: spoke === true }]
    })
    const isCause = bootCause !== undefined && causes.includes(bootCause)
    return { boot, ended: ended === true, ...(isCause && { bootCause }), streams: Object.fromEntries(known) }
  } catch {
    return undefined
  }
}
