import { UnderstudyError } from '../errors.ts'
import { type Files, writeDurably } from '../world/files.ts'
import type { World } from '../world/world.ts'
import { type Catalogue, type CatalogueStore, type DataDisk, readCatalogue, withoutFirst } from './catalogue.ts'
import { CHAIN_START } from './chain.ts'
import { findDisk, namedDisk } from './disks.ts'
import { type HeadState, readHead, readNewerHead } from './head.ts'
import { journalPaths } from './paths.ts'
import { rebuildFromDisk } from './rebuild.ts'

/*
 * A data folder without a journal goes on with the one that it finds on the data disk: that of a card that was written
 * anew, or is broken. The copies on the disk (disk-copy.ts) tell of it; where they cannot, its stores do.
 *
 * Its folder gets another id first. So whoever had it before, should he come back, finds it gone, and the two never write
 * to one store. What lay in the former data folder is not kept, and how far it was gone on with there nobody knows:
 * positions and numbers go on far above it. A cut in the middle leaves a disk from which it is done once more.
 */

/** More than a recorder can use in a year without its disk. */
const AHEAD = 10_000_000_000

/** What lies on a disk, and can be gone on with. */
interface Former {
  readonly disk: DataDisk
  /** In it the disk has the id `own`. */
  readonly catalogue: Catalogue
  readonly own: string
  readonly head: HeadState | undefined
}

/**
 * Makes the journal on a data disk this data folder's, which has none.
 * @param mount where the disk is mounted
 * @returns its catalogue, which is not yet on record here; `undefined` where there is none, or more than one, or it is a
 * newer release's, or cannot be read or written
 */
export async function adopt(world: World, directory: string, mount: string): Promise<Catalogue | undefined> {
  const { files, random } = world
  const paths = journalPaths(directory)
  const disk = namedDisk(mount, random.bytes(8).toString('hex'))
  let former: Former | undefined
  try {
    former = await findFormer(world, mount)
    if (!former || !(await isFresh(files, paths.head, former))) return undefined
    await files.rename(former.disk.folder, disk.folder)
    await files.syncDirectory(mount)
  } catch {
    // Another is begun beside it, or in the data folder, and that is told of.
    return undefined
  }
  await files.makeDirectory(paths.stores, 0o750)
  if (former.head) await writeDurably(files, paths.head, await files.readFile(journalPaths(disk.folder).head))
  return adopted(former, disk)
}

/** A head tells of a journal that lost its catalogue, unless it is what a cut left of an adoption. */
async function isFresh(files: Files, path: string, { head }: Former): Promise<boolean> {
  if (!(await files.info(path))) return true
  const own = await readHead(files, path)
  return own !== undefined && own.nextPosition === head?.nextPosition && own.chain === head.chain
}

async function findFormer(world: World, mount: string): Promise<Former | undefined> {
  const { files } = world
  const disk = await findDisk(files, mount)
  if (!disk) return undefined
  const { head: path } = journalPaths(disk.folder)
  if ((await readNewerHead(files, path)) !== undefined) return undefined
  const head = await readHead(files, path)
  try {
    const catalogue = await readCatalogue(files, journalPaths(disk.folder).catalogue)
    if (catalogue?.copyOn !== undefined && (await namesAll(files, disk, catalogue))) {
      return { disk, catalogue, own: catalogue.copyOn, head }
    }
  } catch (error) {
    const code = error instanceof UnderstudyError ? error.code : undefined
    if (code === 'UNDERSTUDY_STORE_NEWER') return undefined
    if (code !== 'UNDERSTUDY_CATALOGUE_DAMAGED') throw error
  }
  return { disk, catalogue: await rebuildFromDisk(world, disk), own: disk.id, head }
}

/** A copy that could not be written for a while does not know of all the stores. */
async function namesAll(files: Files, { folder }: DataDisk, { stores }: Catalogue): Promise<boolean> {
  const named = new Set(stores.map(({ number }) => number))
  const there = await files.list(journalPaths(folder).stores)
  return there.every(({ name }) => !/^\d+$/.test(name) || named.has(Number(name)))
}

function adopted({ catalogue, own, head }: Former, disk: DataDisk): Catalogue {
  const { copyOn: _, disks = [], ...rest } = catalogue
  const { position, seq } = catalogue.reserved
  const moved = (id: string): string => (id === own ? disk.id : id)
  const reserved = { position: position + AHEAD, seq: seq + AHEAD }
  return withoutFirst({
    ...rest,
    reserved,
    adopted: reserved.position,
    stores: catalogue.stores.map((store) =>
      store.disk === undefined ? notKept(store, head) : { ...store, disk: moved(store.disk) }
    ),
    disks: [disk, ...disks.filter(({ id }) => id !== own)],
    ...(rest.removals && {
      removals: rest.removals.map((removal) =>
        removal.disk === undefined ? removal : { ...removal, disk: moved(removal.disk) }
      )
    })
  })
}

/** It lay in the former data folder. */
function notKept({ number, firstPosition, begunUs, finished }: CatalogueStore, head?: HeadState): CatalogueStore {
  const end = {
    nextPosition: Math.max(head?.nextPosition ?? 0, firstPosition),
    chain: head?.chain ?? CHAIN_START.toString('hex')
  }
  return { number, firstPosition, begunUs, finished: finished ?? end, removed: true }
}
