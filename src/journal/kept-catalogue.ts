import { UnderstudyError } from '../errors.ts'
import { InTurn } from '../world/in-turn.ts'
import type { World } from '../world/world.ts'
import { adopt } from './adopt.ts'
import {
  type Catalogue,
  type CatalogueStore,
  type DataDisk,
  type Removal,
  readCatalogue,
  readFrozenPosition,
  writeCatalogue
} from './catalogue.ts'
import { CHAIN_START } from './chain.ts'
import { datedName } from './dated-name.ts'
import { DiskCopy } from './disk-copy.ts'
import type { Position } from './entry.ts'
import { type HeadState, readHead } from './head.ts'
import { journalPaths } from './paths.ts'
import { rebuildCatalogue } from './rebuild.ts'

/** How far ahead of what is used positions and numbers are reserved. */
const RESERVED = 1_000_000

/** Why a catalogue is not the one that lay there: it was lost, or a newer release's; or the journal came with a data disk. */
type Rebuilt = 'lost' | 'adopted'

export interface LoadedCatalogue {
  readonly catalogue: Catalogue
  /** Set when it is made anew. */
  readonly rebuilt?: Rebuilt
}

/**
 * The catalogue of a data folder. Where there is no journal it is that of the data disk's (adopt.ts), and else an empty one.
 * One that is damaged or missing is made anew from the stores; one of a newer release is left to it, with its stores, and
 * an empty one begins above it. What was made anew is on the disk after `keepRebuilt`.
 * @param mount where the data disk for new stores is mounted
 * @param adopts whether a data folder without a journal goes on with that of the disk
 */
export async function loadCatalogue(
  world: World,
  directory: string,
  mount?: string,
  adopts = false
): Promise<LoadedCatalogue> {
  const { catalogue: path, stores, head } = journalPaths(directory)
  const { files } = world
  try {
    const catalogue = await readCatalogue(files, path)
    if (catalogue) return { catalogue }
    const isEmpty = !(await files.info(stores)) || (await files.list(stores)).length === 0
    const adopted = adopts && isEmpty && mount !== undefined ? await adopt(world, directory, mount) : undefined
    if (adopted) return { catalogue: adopted, rebuilt: 'adopted' }
    // Where there is a head, there was a journal: its stores are on a data disk.
    if (isEmpty && (await readHead(files, head)) === undefined) {
      return { catalogue: { reserved: { position: 1, seq: 1 }, stores: [] } }
    }
  } catch (error) {
    const code = error instanceof UnderstudyError ? error.code : undefined
    if (code === 'UNDERSTUDY_STORE_NEWER') {
      // No stream has more frames than there are positions.
      const position = await readFrozenPosition(files, path)
      return { catalogue: { reserved: { position, seq: position }, stores: [] }, rebuilt: 'lost' }
    }
    if (code !== 'UNDERSTUDY_CATALOGUE_DAMAGED') throw error
  }
  return { catalogue: await rebuildCatalogue(world, directory, mount), rebuilt: 'lost' }
}

/** A journal's catalogue as it stands on the disk, and how it changes. */
export abstract class KeptCatalogue {
  /** Set when it is made anew. */
  readonly rebuilt: Rebuilt | undefined
  protected readonly world: World
  protected readonly directory: string
  #catalogue: Catalogue
  readonly #changes = new InTurn()
  readonly #copy: DiskCopy

  protected constructor(world: World, directory: string, { catalogue, rebuilt }: LoadedCatalogue) {
    this.rebuilt = rebuilt
    this.world = world
    this.directory = directory
    this.#copy = new DiskCopy(world)
    this.#catalogue = catalogue
  }

  /**
   * Puts a catalogue that was made anew in the place of the one there is, which is kept under a dated name.
   * @param position above everything that can have been used; `seq` the same of the numbers
   */
  async keepRebuilt(position: Position, seq: number): Promise<void> {
    const { files } = this.world
    const { catalogue, aside } = journalPaths(this.directory)
    if (await files.info(catalogue)) {
      await files.makeDirectory(aside, 0o750)
      await files.rename(catalogue, `${aside}/${await datedName(this.world, aside, 'catalogue')}`)
    }
    await this.change((rebuilt) => ({ ...rebuilt, reserved: reservedAbove(position, seq) }))
  }

  get stores(): readonly CatalogueStore[] {
    return this.#catalogue.stores
  }

  /** The data disks that there ever were. */
  get knownDisks(): readonly DataDisk[] {
    return this.#catalogue.disks ?? []
  }

  /** Where it is copied to. */
  protected abstract get copyDisk(): DataDisk | undefined

  /** See `Catalogue.adopted`. */
  get adopted(): Position | undefined {
    return this.#catalogue.adopted
  }

  /** Whether no store was begun since the journal came with a data disk. */
  get isAdopting(): boolean {
    return (this.adopted ?? 0) > (this.stores.at(-1)?.firstPosition ?? 0)
  }

  get reserved(): Catalogue['reserved'] {
    return this.#catalogue.reserved
  }

  get firstPosition(): Position {
    return this.stores[0]?.firstPosition ?? 1
  }

  /** Everything before this position is known to be elsewhere too. */
  get confirmed(): Position {
    return this.#catalogue.confirmed ?? 1
  }

  /** What was removed from the front. */
  get removed(): Catalogue['removed'] {
    return this.#catalogue.removed
  }

  /** What was removed and is not known to be on record. */
  get removals(): readonly Removal[] {
    return this.#catalogue.removals ?? []
  }

  /** Where the last finished store ends. */
  get finishedEnd(): { nextPosition: Position; chain: Buffer } {
    const finished = this.stores.findLast((store) => store.finished)?.finished ?? this.removed
    return finished
      ? { nextPosition: finished.nextPosition, chain: Buffer.from(finished.chain, 'hex') }
      : { nextPosition: 1, chain: CHAIN_START }
  }

  /** Reserves anew when what is used comes near. */
  async reserve(position: Position, seq: number): Promise<void> {
    const { reserved } = this
    if (position + RESERVED / 2 < reserved.position && seq + RESERVED / 2 < reserved.seq) return
    await this.change((catalogue) => ({ ...catalogue, reserved: reservedAbove(position, seq) }))
  }

  /** Everything before this position is known to be elsewhere too; it never goes back. */
  async confirm(position: Position): Promise<void> {
    if (position <= this.confirmed) return
    await this.change((catalogue) => ({ ...catalogue, confirmed: position }))
  }

  /** These removals are on record. */
  async settled(removals: readonly Removal[]): Promise<void> {
    if (removals.length === 0) return
    await this.change((catalogue) => ({
      ...catalogue,
      removals: (catalogue.removals ?? []).filter((removal) => !removals.includes(removal))
    }))
  }

  find(number: number): CatalogueStore | undefined {
    return this.stores.find((store) => store.number === number)
  }

  protected async replace(changed: CatalogueStore): Promise<void> {
    await this.change((catalogue) => replaced(catalogue, changed))
  }

  /** Changes come one after the other, each upon what the one before has written. */
  protected change(change: (catalogue: Catalogue) => Catalogue): Promise<void> {
    return this.#changes.run(async () => {
      const catalogue = change(this.#catalogue)
      await writeCatalogue(this.world.files, journalPaths(this.directory).catalogue, catalogue)
      this.#catalogue = catalogue
      await this.#copy.keep(this.copyDisk, catalogue)
    })
  }

  /** Copies a head beside the catalogue's copy. Never rejects. */
  copyHead(state: HeadState): Promise<void> {
    return this.#changes.run(() => this.#copy.keepHead(this.copyDisk, this.#catalogue, state))
  }
}

export function replaced(catalogue: Catalogue, changed: CatalogueStore): Catalogue {
  return { ...catalogue, stores: catalogue.stores.map((entry) => (entry.number === changed.number ? changed : entry)) }
}

export function reservedAbove(position: Position, seq: number): Catalogue['reserved'] {
  return { position: position + RESERVED, seq: seq + RESERVED }
}
