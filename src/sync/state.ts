import type { ErrorCode } from '../errors.ts'
import type { Log } from '../log.ts'
import { writeDurably } from '../world/files.ts'
import { keepNewer } from '../world/newer-file.ts'
import type { Ms } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { SyncPaths } from './paths.ts'

const FORMAT = 1

/** Why nothing could be handed over. */
export interface Failure {
  readonly code: ErrorCode
  readonly detail: string
  readonly sinceMs: Ms
  /** In a row. */
  readonly count: number
  /** When it is tried again; absent where a person has to do something first. */
  readonly nextMs?: Ms
  /** SHA-256 of the pinned host keys that did not fit; it is tried again when they have changed. */
  readonly knownHosts?: string
}

interface Kept {
  /** The last request to hash anew. */
  readonly asked?: { readonly id: string; readonly atMs: Ms }
  /** When the primary was last told that something was sent. */
  readonly notedMs?: Ms
  readonly failure?: Failure
  /** When a pass last went well. */
  readonly doneMs?: Ms
}

/** What must be known of passes after a restart, in a small file. */
export class SyncState {
  readonly #world: World
  readonly #paths: SyncPaths
  #kept: Kept

  private constructor(world: World, paths: SyncPaths, kept: Kept) {
    this.#world = world
    this.#paths = paths
    this.#kept = kept
  }

  /** One that cannot be read is as if nothing had ever failed; one of a newer release is kept beside. */
  static async read(world: World, paths: SyncPaths, log: Log): Promise<SyncState> {
    if (await keepNewer(world.files, paths.state, FORMAT))
      log.error({}, 'the state of handing over was written by a newer release; it is kept beside, and begun anew')
    const there = await world.files.info(paths.state)
    return new SyncState(world, paths, there ? parse(await world.files.readFile(paths.state)) : {})
  }

  get current(): Kept {
    return this.#kept
  }

  get asked(): Kept['asked'] {
    return this.#kept.asked
  }

  get failure(): Failure | undefined {
    return this.#kept.failure
  }

  /** What cannot be written holds until the next start: then a pass does again what it had done. */
  async put(kept: Kept): Promise<void> {
    this.#kept = kept
    const { files } = this.#world
    await files.makeDirectory(this.#paths.directory, 0o750)
    await writeDurably(files, this.#paths.state, `${JSON.stringify({ format: FORMAT, ...kept })}\n`)
  }
}

function parse(bytes: Buffer): Kept {
  try {
    const { format, ...kept } = JSON.parse(bytes.toString()) as Kept & { format: number }
    return format === FORMAT ? kept : {}
  } catch {
    return {}
  }
}
