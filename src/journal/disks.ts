import { dirname } from 'node:path'
import { systemCode, UnderstudyError } from '../errors.ts'
import type { Files } from '../world/files.ts'
import type { Random } from '../world/time.ts'
import type { DataDisk } from './catalogue.ts'
import { reasonOf } from './without-room.ts'

/*
 * On a data disk everything lies in one folder, `understudy-ID`. The id is made when the disk is taken into use, and
 * stands in the catalogue: so another disk is never taken for this one, and two journals on one disk never meet. A
 * folder that no disk is mounted on has the device of its parent; nothing is ever written there.
 */

const PREFIX = 'understudy-'
const ID = /^[0-9a-f]{16}$/

/** The data disks of a journal: where each lies while it is there, and which of them gets the new stores. */
export class Disks {
  /** Where the disk for new stores is mounted, as configured. */
  readonly mount: string | undefined
  readonly #files: Files
  readonly #random: Random
  /** Folders of the disks that are there, by id. */
  #folders: ReadonlyMap<string, string> = new Map()
  #target: string | undefined
  #problem: UnderstudyError | undefined
  /** Set when another disk than before, or one with another journal, was taken into use since the start. */
  #other: UnderstudyError | undefined

  constructor(world: { readonly files: Files; readonly random: Random }, mount: string | undefined) {
    this.#files = world.files
    this.#random = world.random
    this.mount = mount
  }

  /** The id of the disk where new stores go; absent: they go to the data folder. */
  get target(): string | undefined {
    return this.#target
  }

  /** Why that is not as configured, or what else is to be known of it. */
  get problem(): UnderstudyError | undefined {
    return this.#problem
  }

  /** Ids of the disks that are there. */
  get there(): string[] {
    return [...this.#folders.keys()]
  }

  /** Its folder while it is there. */
  folder(id: string): string | undefined {
    return this.#folders.get(id)
  }

  /**
   * Looks which disks are there, and takes into use what is mounted where new stores are to go. One that cannot be
   * written is as good as away: even reading a store needs a copy of it on its disk.
   * @param known the disks of the catalogue
   * @returns the same as they are now
   */
  async look(known: readonly DataDisk[]): Promise<readonly DataDisk[]> {
    const folders = new Map<string, string>()
    const disks = [...known]
    let target: string | undefined
    let problem: UnderstudyError | undefined
    const mounted = this.mount !== undefined && (await isMounted(this.#files, this.mount))
    for (const [index, { id, folder }] of known.entries()) {
      // It may be mounted at another place than last time.
      const own = mounted ? `${this.mount}/${nameOf(id)}` : folder
      for (const path of new Set([own, folder])) {
        if (folders.has(id) || !(await isMounted(this.#files, mountOf(path, id)))) continue
        const failed = await this.#fault(path)
        if (failed !== undefined && failed !== 'ENOENT' && path === own && mounted) problem = fault(path, failed)
        if (failed !== undefined) continue
        folders.set(id, path)
        disks[index] = { id, folder: path }
        if (mounted && path === own) target ??= id
      }
    }
    if (this.mount !== undefined && !mounted) problem = new UnderstudyError('UNDERSTUDY_DISK_AWAY', this.mount)
    else if (this.mount !== undefined && target === undefined && problem === undefined) {
      try {
        // What may not be read is somebody else's, and no reason not to use the disk.
        const others = await journalsOn(this.#files, this.mount).catch(() => [])
        const disk = await this.#takeIntoUse(this.mount)
        if (known.length > 0) this.#other = new UnderstudyError('UNDERSTUDY_DISK_OTHER', this.mount)
        else if (others.length > 0) this.#other = new UnderstudyError('UNDERSTUDY_DISK_NOT_OURS', this.mount)
        target = disk.id
        folders.set(disk.id, disk.folder)
        disks.push(disk)
      } catch (error) {
        problem = error instanceof UnderstudyError ? error : fault(this.mount, systemCode(error) ?? 'unknown', error)
      }
    }
    this.#folders = folders
    this.#target = target
    this.#problem = problem ?? this.#other
    return disks
  }

  /** Something on it has failed: it counts as away until it is looked for again. */
  lose(id: string, error: unknown): void {
    this.blame(id, error)
    this.#folders = new Map([...this.#folders].filter(([other]) => other !== id))
    if (this.#target === id) this.#target = undefined
  }

  /** Something on it has failed, and that is all: it is told of until it is looked for again. */
  blame(id: string, error: unknown): void {
    if (this.#target === id) this.#problem = fault(this.#folders.get(id) ?? id, reasonOf(error), error)
  }

  /** Whether it is still mounted and can be written. */
  async isAlive(id: string): Promise<boolean> {
    const folder = this.#folders.get(id)
    if (folder === undefined) return false
    return (await isMounted(this.#files, mountOf(folder, id))) && (await this.#fault(folder)) === undefined
  }

  /** What keeps a folder from being used. */
  async #fault(folder: string): Promise<string | undefined> {
    const probe = `${folder}/probe`
    try {
      if ((await this.#files.info(folder))?.kind !== 'directory') return 'ENOENT'
      await this.#files.writeFile(probe, '')
      await this.#files.remove(probe)
      return undefined
    } catch (error) {
      const code = systemCode(error) ?? 'unknown'
      // A full one can be read, and retention makes room on it.
      return code === 'ENOSPC' || code === 'EDQUOT' ? undefined : code
    }
  }

  async #takeIntoUse(mount: string): Promise<DataDisk> {
    const { id, folder } = namedDisk(mount, this.#random.bytes(8).toString('hex'))
    if (await isMounted(this.#files, mount)) {
      await this.#files.makeDirectory(`${folder}/stores`, 0o750)
      await this.#files.syncDirectory(folder)
      await this.#files.syncDirectory(mount)
      if (await isMounted(this.#files, mount)) return { id, folder }
      // It went in that moment, and this is the empty mount point.
      await this.#files.remove(folder)
    }
    throw new UnderstudyError('UNDERSTUDY_DISK_AWAY', mount)
  }
}

/** Whether a disk is mounted on a folder, and it is not just the folder. */
export async function isMounted(files: Files, folder: string): Promise<boolean> {
  try {
    const [own, parent] = await Promise.all([files.info(folder), files.info(dirname(folder))])
    return own !== undefined && own.device !== parent?.device
  } catch {
    return false
  }
}

/** A disk by the name that its folder has there. */
export function namedDisk(mount: string, id: string): DataDisk {
  return { id, folder: `${mount}/${nameOf(id)}` }
}

/**
 * The data disk of a journal that has lost its catalogue: with stores of several journals on it, or under a name that is
 * none of ours, nobody knows whose they are. A folder without stores is what a cut left while the disk was taken into use.
 */
export async function findDisk(files: Files, mount: string): Promise<DataDisk | undefined> {
  if (!(await isMounted(files, mount))) return undefined
  const found = await journalsOn(files, mount)
  return found.length === 1 && ID.test(found[0]!.id) ? found[0] : undefined
}

/** What holds the stores of a journal on a disk. */
async function journalsOn(files: Files, mount: string): Promise<DataDisk[]> {
  const found: DataDisk[] = []
  for (const { name } of await files.list(mount)) {
    const folder = `${mount}/${name}`
    if (!name.startsWith(PREFIX) || !(await files.info(`${folder}/stores`))) continue
    if ((await files.list(`${folder}/stores`)).length > 0) found.push({ id: name.slice(PREFIX.length), folder })
  }
  return found
}

function nameOf(id: string): string {
  return `${PREFIX}${id}`
}

/** The folder that a disk is mounted on, of a path on it. */
function mountOf(path: string, id: string): string {
  return path.slice(0, path.indexOf(`/${nameOf(id)}`))
}

function fault(place: string, detail: string, cause?: unknown): UnderstudyError {
  return new UnderstudyError('UNDERSTUDY_DISK_FAILED', `${place}: ${detail}`, { cause })
}
