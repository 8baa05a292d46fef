import type { World } from '../world/world.ts'
import { type Catalogue, type DataDisk, writeCatalogue } from './catalogue.ts'
import { Head, type HeadState } from './head.ts'
import { journalPaths } from './paths.ts'

/**
 * The copies of catalogue and head that lie on the data disk beside its stores: from them the journal is gone on with when
 * the data folder is lost (adopt.ts). Nothing here rejects: what cannot be copied now is copied the next time, and until
 * then the head stays as it was, so that it never tells of more than the catalogue beside it.
 */
export class DiskCopy {
  readonly #world: World
  /** The id of the disk that has the catalogue as it is now. */
  #current: string | undefined

  constructor(world: World) {
    this.#world = world
  }

  /** @param disk absent: there is none, and its copy grows old */
  async keep(disk: DataDisk | undefined, catalogue: Catalogue): Promise<void> {
    this.#current = undefined
    if (!disk) return
    const path = journalPaths(disk.folder).catalogue
    try {
      await writeCatalogue(this.#world.files, path, { ...catalogue, copyOn: disk.id })
      this.#current = disk.id
    } catch {
      // A disk that fails is told of by what is recorded on it.
    }
  }

  /** @param catalogue as it is now */
  async keepHead(disk: DataDisk | undefined, catalogue: Catalogue, state: HeadState): Promise<void> {
    if (!disk) return
    if (this.#current !== disk.id) await this.keep(disk, catalogue)
    if (this.#current !== disk.id) return
    try {
      // Not kept open: a disk may be unmounted at any time.
      const head = await Head.open(this.#world.files, journalPaths(disk.folder).head)
      try {
        await head.write(state)
      } finally {
        await head.close()
      }
    } catch {
      // The same.
    }
  }
}
