import type { SealedFolder } from '../captures/sealed.ts'
import type { Log } from '../log.ts'
import { writeDurably } from '../world/files.ts'
import { keepNewer } from '../world/newer-file.ts'
import type { Ms, Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import type { SyncPaths } from './paths.ts'
import { proofOf } from './receipt.ts'

const FORMAT = 1

/** How far the handing over of one sealed folder has come. It stays known when the folder is no longer here. */
export interface Handed {
  readonly capture: string
  readonly folder: string
  readonly manifestSha256: string
  /** What a receipt must come to; see `proofOf`. */
  readonly proof: string
  readonly bytes: number
  readonly sealedUs: Us
  /** The end of what is in it; of one sealed without any time, when it was sealed. */
  readonly endUs: Us
  /** Both as in the manifest. */
  readonly before: number
  readonly completeBelow: number
  /** How often it was begun to send it. */
  readonly attempts: number
  /** When all of it had arrived. */
  readonly sentMs?: Ms
  /** When its receipt came, the same as the manifest. */
  readonly confirmedMs?: Ms
  /** The last request to hash anew that its receipt has followed. */
  readonly recheck?: string
  /** What the primary has is no longer, or never was, what was sent; or it is gone there. */
  readonly fault?: 'differs' | 'gone'
  /** It is no longer here: removed for a limit, having been confirmed; to make room, although it was not; or erased. */
  readonly removed?: 'limit' | 'room' | 'erased'
}

/** The record of every sealed folder, one small file each, on the disk before anything is done upon it. */
export class HandedFolders {
  readonly #world: World
  readonly #directory: string
  readonly #known = new Map<string, Handed>()
  /** In order, as long as they are the same. */
  #inOrder: readonly Handed[] | undefined
  /** All that is sealed is asked for again and again. */
  readonly #proofs = new WeakMap<SealedFolder, string>()

  private constructor(world: World, directory: string) {
    this.#world = world
    this.#directory = directory
  }

  /**
   * A record that cannot be read is as if it had never been: then the folder is sent and confirmed again. One of a newer
   * release is kept beside.
   */
  static async read(world: World, { handed: directory }: SyncPaths, log: Log): Promise<HandedFolders> {
    let newer = 0
    const folders = new HandedFolders(world, directory)
    const { files } = world
    if (!(await files.info(directory))) return folders
    for (const { name: capture, kind } of await files.list(directory)) {
      if (kind !== 'directory') continue
      for (const { name } of await files.list(`${directory}/${capture}`)) {
        if (!name.endsWith('.json')) continue
        const path = `${directory}/${capture}/${name}`
        const record = readRecord(await files.readFile(path))
        if (record) folders.#known.set(nameOf(record), record)
        else if (await keepNewer(files, path, FORMAT)) newer++
      }
    }
    if (newer > 0) log.error({ newer }, 'records of folders were written by a newer release; they are kept beside')
    return folders
  }

  /** By when they were sealed. */
  all(): readonly Handed[] {
    this.#inOrder ??= [...this.#known.values()].sort(
      (a, b) => a.sealedUs - b.sealedUs || (nameOf(a) < nameOf(b) ? -1 : 1)
    )
    return this.#inOrder
  }

  /** The record of a sealed folder, made when there is none. */
  async of(sealed: SealedFolder): Promise<Handed> {
    const { capture, folder, manifest, manifestSha256 } = sealed
    const proof = this.#proofOf(sealed)
    const known = this.#known.get(`${capture}/${folder}`)
    if (known?.proof === proof) return known
    const { sealedUs, files, window, journal } = manifest
    const made: Handed = {
      capture,
      folder,
      manifestSha256,
      proof,
      bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      sealedUs,
      endUs: window?.toUs ?? sealedUs,
      before: journal.before,
      completeBelow: journal.completeBelow,
      attempts: 0
    }
    await this.put(made)
    return made
  }

  #proofOf(sealed: SealedFolder): string {
    const known = this.#proofs.get(sealed)
    if (known !== undefined) return known
    const sums = new Map(sealed.manifest.files.map(({ name, sha256 }) => [name, sha256]))
    const proof = proofOf(sums.set('manifest.json', sealed.manifestSha256))
    this.#proofs.set(sealed, proof)
    return proof
  }

  async put(record: Handed): Promise<void> {
    const { capture, folder } = record
    await this.#world.files.makeDirectory(`${this.#directory}/${capture}`, 0o750)
    const text = `${JSON.stringify({ format: FORMAT, ...record })}\n`
    await writeDurably(this.#world.files, `${this.#directory}/${capture}/${folder}.json`, text)
    this.#known.set(nameOf(record), record)
    this.#inOrder = undefined
  }
}

/** `daily/2026-03-29`: its path here and on the primary. */
export function nameOf({ capture, folder }: Pick<Handed, 'capture' | 'folder'>): string {
  return `${capture}/${folder}`
}

/**
 * Up to where the journal is known to be with the primary: of the captures of all streams, the end of what was
 * confirmed without a break, in the order in which it was read from the journal. That of sealing is another where the
 * clock was set back.
 * @param firstPosition the journal's first: what was removed here to make room, and had nothing behind it, is no break
 */
export function confirmedBelow(
  folders: readonly Handed[],
  isWhole: (capture: string) => boolean,
  firstPosition: number
): number {
  let below = 0
  const broken = new Set<string>()
  for (const { capture, confirmedMs, fault, removed, completeBelow } of folders.toSorted(
    (a, b) => a.before - b.before
  )) {
    if (!isWhole(capture) || broken.has(capture)) continue
    if ((confirmedMs !== undefined && fault === undefined) || removed === 'erased')
      below = Math.max(below, completeBelow)
    else if (removed !== 'room' || completeBelow > firstPosition) broken.add(capture)
  }
  return below
}

function readRecord(bytes: Buffer): Handed | undefined {
  try {
    const { format, ...record } = JSON.parse(bytes.toString()) as Handed & { format: number }
    return format === FORMAT && typeof record.proof === 'string' && typeof record.before === 'number'
      ? record
      : undefined
  } catch {
    return undefined
  }
}
