import type { World } from '../world/world.ts'
import { type DataDisk, readCatalogue, writeCatalogue } from './catalogue.ts'
import { Disks } from './disks.ts'
import { readHead } from './head.ts'
import { SNAPSHOT } from './leftovers.ts'
import { openCopy } from './opening.ts'
import { journalPaths, requireJournal } from './paths.ts'
import type { JournalReader } from './reading.ts'
import { SeriesReader } from './series-reader.ts'
import { copyStore } from './store-copy.ts'

/**
 * Opens a journal that nobody is writing, without touching it: LevelDB writes when it opens, so what is opened is a
 * copy in which the tables are hard links. `close` removes it.
 * @throws UNDERSTUDY_NO_JOURNAL
 */
export async function openSnapshot(
  world: World,
  directory: string
): Promise<JournalReader & { close(): Promise<void> }> {
  const { files } = world
  await requireJournal(files, directory)
  const name = `${SNAPSHOT}${world.random.bytes(6).toString('hex')}`
  const copy = `${directory}/${name}`
  const from = journalPaths(directory)
  const to = journalPaths(copy)
  const copies = [copy]
  const remove = async (): Promise<void> => {
    for (const folder of copies) await files.remove(folder)
  }
  try {
    await copyStores(world, directory, copy)
    for (const file of ['catalogue', 'head'] as const) {
      if (await files.info(from[file])) await files.writeFile(to[file], await files.readFile(from[file]))
    }
    // A damaged one is made anew from the copies.
    const catalogue = await readCatalogue(files, to.catalogue).catch(() => undefined)
    if (catalogue?.disks) {
      const disks = await copyDisks(world, catalogue.disks, name, copies)
      await writeCatalogue(files, to.catalogue, { ...catalogue, disks })
    }
    const { series, states, end } = await openCopy(world, copy)
    const extent = {
      firstPosition: series.firstPosition,
      nextPosition: end.nextPosition,
      closed: false,
      nextCommit: never
    }
    const now = (): { boot: string; wallUs: number; live: boolean } => ({
      boot: world.clock.boot,
      wallUs: world.clock.wallUs(),
      live: false
    })
    return Object.assign(new SeriesReader(series, { extent, states, head: () => readHead(files, to.head), now }), {
      async close(): Promise<void> {
        await series.close()
        await remove()
      }
    })
  } catch (error) {
    await remove()
    throw error
  }
}

async function copyStores(world: World, from: string, to: string): Promise<void> {
  const [stores, copies] = [journalPaths(from).stores, journalPaths(to).stores]
  await world.files.makeDirectory(copies, 0o700)
  if (!(await world.files.info(stores))) return
  for (const { name } of await world.files.list(stores)) {
    await copyStore(world, `${stores}/${name}`, `${copies}/${name}`)
  }
}

/**
 * What lies on data disks is copied on these, since a second name for a file lies on the same disk.
 * @param copies the folders that were made are added to these
 * @returns the disks with the copies in place of what they hold; one that is not there, or fails, has none
 */
async function copyDisks(
  world: World,
  known: readonly DataDisk[],
  name: string,
  copies: string[]
): Promise<DataDisk[]> {
  const disks = new Disks(world, undefined)
  await disks.look(known)
  const copied: DataDisk[] = []
  for (const { id, folder } of known) {
    const copy = `${folder}/${name}`
    if (disks.folder(id) !== undefined) {
      copies.push(copy)
      await copyStores(world, folder, copy).catch(() => world.files.remove(copy).catch(() => {}))
    }
    copied.push({ id, folder: copy })
  }
  return copied
}

function never(): Promise<void> {
  return new Promise(() => {})
}
