import type { World } from '../world/world.ts'
import { openCopy } from './opening.ts'
import { journalPaths, requireJournal } from './paths.ts'
import type { JournalReader } from './reading.ts'
import { SeriesReader } from './series-reader.ts'
import { copyStore } from './store-copy.ts'

const PREFIX = 'snapshot-'

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
  const copy = `${directory}/${PREFIX}${world.random.bytes(6).toString('hex')}`
  const from = journalPaths(directory)
  const to = journalPaths(copy)
  try {
    await files.makeDirectory(to.stores, 0o700)
    for (const file of ['catalogue', 'head'] as const) {
      if (await files.info(from[file])) await files.writeFile(to[file], await files.readFile(from[file]))
    }
    for (const { name } of await files.list(from.stores)) {
      await copyStore(world, `${from.stores}/${name}`, `${to.stores}/${name}`)
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
    return Object.assign(new SeriesReader(series, { extent, states, now }), {
      async close(): Promise<void> {
        await series.close()
        await files.remove(copy)
      }
    })
  } catch (error) {
    await files.remove(copy)
    throw error
  }
}

/** A command that was killed has left its copy; one that reads now is younger than this. */
const STALE_MS = 86_400_000

/** Removes copies that nobody reads any more: their hard links keep the space of stores that have been removed. */
export async function clearSnapshots({ files, clock }: World, directory: string): Promise<void> {
  const nowMs = clock.wallUs() / 1000
  for (const { name } of await files.list(directory)) {
    if (!name.startsWith(PREFIX)) continue
    const info = await files.info(`${directory}/${name}`)
    if (info && Math.abs(nowMs - info.modifiedMs) > STALE_MS) await files.remove(`${directory}/${name}`)
  }
}

function never(): Promise<void> {
  return new Promise(() => {})
}
