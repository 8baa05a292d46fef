import type { Files } from '../world/files.ts'
import type { CatalogueStore, Removal } from './catalogue.ts'
import { journalPaths } from './paths.ts'

/*
 * What a cut can leave among the stores. A folder with a number alone is only touched when it is on record that it was
 * to be removed; the others are ours by their names:
 *
 *   NNNNNN.look-…, NNNNNN.salvage, NNNNNN.merging   copies that were being worked on: removed
 *   NNNNNN.old   what a merged store was made of: put back where the merged one is not yet in its place, else removed
 */
const NAME = /^\d{6,}\.(look-[0-9a-f]+|salvage|merging|old)$/

interface LeftoverSeries {
  /** Where stores lie that are there. */
  readonly places: ReadonlyArray<{ readonly disk: string | undefined; readonly folder: string }>
  readonly stores: readonly CatalogueStore[]
  readonly removals: readonly Removal[]
}

/** Finishes or undoes what the last process left undone when it ended. To be called before any store is opened. */
export async function clearLeftovers(files: Files, series: LeftoverSeries): Promise<void> {
  for (const { disk, folder } of series.places) {
    const paths = journalPaths(folder)
    await clearStores(
      files,
      paths,
      series.stores.filter((store) => store.disk === disk)
    )
    for (const removal of series.removals) if (removal.disk === disk) await clearRemoved(files, paths, removal)
  }
}

async function clearStores(
  files: Files,
  paths: ReturnType<typeof journalPaths>,
  stores: readonly CatalogueStore[]
): Promise<void> {
  if (!(await files.info(paths.stores))) return
  await putBackOld(files, paths, stores)
  for (const { name } of await files.list(paths.stores)) {
    if (NAME.test(name)) await files.remove(`${paths.stores}/${name}`)
  }
}

/** What a merged store was made of, where the merged one is not yet in its place. */
export async function putBackOld(
  files: Files,
  { store }: ReturnType<typeof journalPaths>,
  stores: readonly CatalogueStore[]
): Promise<void> {
  for (const { number, damaged, removed } of stores) {
    const old = `${store(number)}.old`
    if (damaged || removed || (await files.info(store(number))) || !(await files.info(old))) continue
    await files.rename(old, store(number))
  }
}

/** Removes from the disk what the catalogue does not name any more. */
export async function clearRemoved(
  files: Files,
  { aside, stores, store }: ReturnType<typeof journalPaths>,
  removal: Removal
): Promise<void> {
  if (removal.aside) await files.remove(`${aside}/${removal.aside}`)
  if (removal.what === 'set aside') return
  await files.remove(store(removal.store))
  await files.syncDirectory(stores)
}
