import { cp, rename, rm } from 'node:fs/promises'
import { type CatalogueStore, readCatalogue } from '../../src/journal/catalogue.ts'
import type { Entry } from '../../src/journal/entry.ts'
import { journalPaths } from '../../src/journal/paths.ts'
import type { JournalReader } from '../../src/journal/reading.ts'
import { openSnapshot } from '../../src/journal/snapshot.ts'
import type { World } from '../../src/world/world.ts'
import { append, openJournal } from '../support/journals.ts'

export const streams = ['spin30', 'spin31', 'pvna02']

const SESSIONS = 4
const COMMITS = 30
/** From this session on nothing is merged, as on a disk without room for it. */
const UNMERGED = 3
/** Commits are made when they are asked for. */
const NEVER_MS = 86_400_000

/** A journal of several stores that damage is done to copies of, and what is in it. */
export interface Original {
  readonly directory: string
  readonly entries: ReadonlyMap<number, Entry>
  readonly nextPosition: number
  readonly lastSeqs: ReadonlyMap<string, number>
  readonly stores: readonly CatalogueStore[]
}

/**
 * Records some hundred frames over several sessions, so that finished stores and the newest one have tables and logs.
 * @param killed leaves it as `kill -9` would
 */
export async function record(world: World, directory: string, killed: boolean): Promise<Original> {
  let number = 0
  for (let session = 1; session <= SESSIONS; session++) {
    const last = session === SESSIONS
    const crowded = { ...world, files: { ...world.files, space: async () => ({ freeBytes: 0, totalBytes: 0 }) } }
    // The newest store keeps the table that opening made of its log, and gets a new log.
    const journal = await openJournal(session < UNMERGED ? world : crowded, directory, {
      commitIntervalMs: NEVER_MS,
      ...(last && { storeBytes: 1e9 })
    })
    for (const stream of streams) journal.hearing.added(stream)
    for (let commit = 0; commit < COMMITS; commit++) {
      const stream = streams[commit % streams.length]!
      if (commit % 10 < 3) journal.hearing.heard(stream)
      if (commit % 10 === 7) journal.hearing.lost(stream, 'connecting')
      for (let frame = 0; frame < 6; frame++) append(journal, streams[number % streams.length]!, ++number)
      await journal.commit()
    }
    for (const reader of ['captures', 'sync']) {
      await journal.readers.commit(reader, { position: 1, skipped: [] }, [['state', Buffer.alloc(20_000, session)]])
    }
    // Reading opens a finished store, and LevelDB makes a table of its log then.
    if (session < SESSIONS - 1) await readAll(journal)
    await journal.merged()
    if (last && killed) {
      await cp(directory, `${directory}.killed`, { recursive: true })
      await journal.close()
      await rm(directory, { recursive: true })
      await rename(`${directory}.killed`, directory)
    } else {
      await journal.close()
    }
  }
  return describe(world, directory)
}

/** Every entry that can be read, by its position. */
export async function readAll(journal: Pick<JournalReader, 'cursor'>): Promise<Map<number, Entry>> {
  const cursor = journal.cursor()
  const entries = new Map<number, Entry>()
  for (let some = await cursor.next(); some.length > 0; some = await cursor.next()) {
    for (const entry of some) {
      if (entries.has(entry.position)) throw new Error(`position ${entry.position} came twice`)
      entries.set(entry.position, entry)
    }
  }
  return entries
}

async function describe(world: World, directory: string): Promise<Original> {
  const snapshot = await openSnapshot(world, directory)
  try {
    const entries = await readAll(snapshot)
    const lastSeqs = new Map<string, number>()
    for (const entry of entries.values()) if (entry.kind === 'frame') lastSeqs.set(entry.stream, entry.seq)
    const catalogue = await readCatalogue(world.files, journalPaths(directory).catalogue)
    return { directory, entries, nextPosition: snapshot.nextPosition, lastSeqs, stores: catalogue!.stores }
  } finally {
    await snapshot.close()
  }
}
