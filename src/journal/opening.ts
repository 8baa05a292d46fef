import { UnderstudyError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { World } from '../world/world.ts'
import { readEntries } from './block.ts'
import type { CatalogueStore } from './catalogue.ts'
import { CHAIN_START } from './chain.ts'
import { datedName } from './dated-name.ts'
import type { Position } from './entry.ts'
import { type HeadState, readHead, readNewerHead } from './head.ts'
import { journalPaths } from './paths.ts'
import { takeProof } from './proof.ts'
import { withRoom } from './reserve.ts'
import { Series } from './series.ts'
import { StreamStates } from './stream-state.ts'
import { type StoreEnd, tryStore } from './trial.ts'
import { isWithoutRoom } from './without-room.ts'

/** Where no head tells what the chain was, it begins anew. */
const UNKNOWN_CHAIN = CHAIN_START.toString('hex')

/** Where a head says that the journal has ended. */
type KnownEnd = Pick<HeadState, 'nextPosition' | 'chain' | 'running'>

/** A series with what is known at its end. */
export interface Opened {
  readonly series: Series
  readonly states: StreamStates
  readonly end: { readonly nextPosition: Position; readonly chain: Buffer }
  /** Bytes of the newest store's files. */
  readonly newestBytes: number
}

/**
 * Opens what is in a data folder for writing. The newest store is tried on a copy first; where it is damaged, or ends
 * below what the head knows to have been on the disk, it is set aside, and positions and numbers go on above everything
 * that can ever have been used. One that is whole and cannot be written, or that a newer release has written, is left as
 * it is.
 * @param mount where the data disk for new stores is mounted
 * @param adopts whether a data folder without a journal goes on with that of the disk
 */
export async function openSeries(
  world: World,
  directory: string,
  log: Log,
  mount?: string,
  adopts = true
): Promise<Opened> {
  const series = await Series.read(world, directory, mount, adopts)
  const { files } = world
  const paths = journalPaths(directory)
  const newer = await readNewerHead(files, paths.head)
  const head = newer === undefined ? await readHead(files, paths.head) : undefined
  const states = new StreamStates(head)
  if (series.rebuilt) {
    const { stores } = series
    const notKept = stores.filter(({ removed }) => removed).length
    if (series.rebuilt === 'adopted') {
      log.warn(
        { stores: stores.length - notKept, notKept },
        'this data folder had no journal: the one on the data disk is gone on with; what lay in the former data folder is not kept'
      )
    } else {
      log.error({ stores: stores.length }, 'the catalogue is lost, or of a newer release; it is kept, and made anew')
    }
    const { position, seq } = series.reserved
    await series.keepRebuilt(Math.max(position, head?.nextPosition ?? 0), Math.max(seq, states.highestSeq))
  }
  await series.lookForDisks()
  await series.clearLeftovers()
  const { problem } = series.disk
  if (problem) log.error({ code: problem.code }, problem.message)
  if (newer !== undefined) {
    log.error({}, 'the head is of a newer release; it is kept, and made anew')
    await series.reserve(newer, series.reserved.seq)
    await files.makeDirectory(paths.aside, 0o750)
    await files.rename(paths.head, `${paths.aside}/${await datedName(world, paths.aside, 'head')}`)
  }
  const known = newer === undefined ? head : { nextPosition: newer, chain: UNKNOWN_CHAIN, running: true }
  await openNewest(world, directory, series, known, log)
  const opened = await follow(series, states, head?.nextPosition)
  // Without the catalogue or the head nothing tells whether the end is where it was: what was used may reach further.
  const isLost = newer !== undefined || series.rebuilt !== undefined || series.isAdopting
  const newest = series.stores.at(-1)
  if (newest && !newest.finished && (isLost || series.isMisplaced)) await series.leave(newest, endOf(opened.end))
  const newestBytes = series.newest ? opened.newestBytes : 0
  if (isLost || newest?.finished?.rest === 'unknown' || (!head && series.away.length > 0)) {
    states.raise(series.reserved.seq)
  }
  if (!isLost && newest?.finished?.rest !== 'unknown') return { ...opened, newestBytes }
  return { ...opened, end: { ...opened.end, nextPosition: series.reserved.position }, newestBytes }
}

async function openNewest(
  world: World,
  directory: string,
  series: Series,
  head: KnownEnd | undefined,
  log: Log
): Promise<void> {
  const newest = series.stores.at(-1)
  if (!newest || newest.finished) return
  const { number, firstPosition } = newest
  const chain = head?.chain ?? UNKNOWN_CHAIN
  if (series.isAway(newest)) {
    // After a clean end the head is right. Otherwise the store may hold more, and one goes on above all it can hold.
    const end = { nextPosition: Math.max(head?.nextPosition ?? 0, firstPosition), chain }
    return series.leave(newest, head?.running === false ? end : { ...end, rest: 'unknown' })
  }
  let found: StoreEnd
  try {
    if (await openProved(world, series, newest, head)) return
    found = await withRoom(world.files, directory, () => tryStore(world, series.path(number), firstPosition))
    requireEnd(found, firstPosition, head)
  } catch (error) {
    // That nothing can be written says nothing of the store.
    if (isWithoutRoom(error)) throw error
    const usedTo = head ? Math.max(head.nextPosition, firstPosition) : null
    const end = { nextPosition: series.reserved.position, chain, usedTo }
    if (error instanceof UnderstudyError && error.code === 'UNDERSTUDY_STORE_NEWER') {
      log.error({ err: error, store: number }, 'a store was written by a newer release; it is left, and another begun')
      return series.leave(newest, end)
    }
    log.error({ err: error, store: number }, 'a store is damaged; it is set aside and another begun')
    return series.setAside(newest, end)
  }
  try {
    await withRoom(world.files, directory, () => series.openNewest())
  } catch (error) {
    log.error({ err: error, store: number }, 'a store is whole and cannot be written; it is left, and another begun')
    await series.leave(newest, found ? endOf(found) : { nextPosition: firstPosition, chain })
  }
}

/**
 * Opens the newest store by what is proved of it already.
 * @returns false where that is not enough: then all of it is to be tried
 * @throws when it has been opened and turns out to be damaged
 */
async function openProved(
  world: World,
  series: Series,
  { number, firstPosition }: CatalogueStore,
  head: KnownEnd | undefined
): Promise<boolean> {
  const path = series.path(number)
  const proof = await takeProof(world, path)
  if (!proof) return false
  let end: StoreEnd
  try {
    end = proof.end ?? (await tryStore(world, path, firstPosition, undefined, proof))
    requireEnd(end, firstPosition, head)
    await series.openNewest()
  } catch {
    return false
  }
  const last = await series.newest?.last()
  if (end && (last ? last.firstPosition + last.count : 0) < end.nextPosition) throw new Error('its end is gone')
  return true
}

/** @throws when the head knows of more */
function requireEnd(end: StoreEnd, firstPosition: Position, head: KnownEnd | undefined): void {
  const nextPosition = end?.nextPosition ?? firstPosition
  if (head && head.nextPosition > nextPosition) {
    throw new Error(`positions ${nextPosition} to ${head.nextPosition - 1} were on the disk and are gone`)
  }
}

function endOf({ nextPosition, chain }: NonNullable<StoreEnd>): { nextPosition: Position; chain: string } {
  return { nextPosition, chain: chain.toString('hex') }
}

/** The same for a copy that nobody writes or salvages: of a damaged store it gives what can be read. */
export async function openCopy(world: World, directory: string): Promise<Opened> {
  const series = await Series.read(world, directory)
  series.readAsItIs()
  await series.lookForDisks()
  await series.clearLeftovers()
  const { head: path } = journalPaths(directory)
  const head = await readHead(world.files, path)
  const newest = series.stores.at(-1)
  if (newest && !newest.finished && !series.isAway(newest)) {
    await tryStore(world, series.path(newest.number), newest.firstPosition).then(
      () => series.openNewest(),
      () => {}
    )
  }
  const opened = await follow(series, new StreamStates(head), head?.nextPosition)
  const newer = await readNewerHead(world.files, path)
  const nextPosition = Math.max(opened.end.nextPosition, head?.nextPosition ?? 0, newer ?? 0)
  return { ...opened, end: { ...opened.end, nextPosition } }
}

/** The head is where it was when it was last on the disk: what the stores hold beyond it brings it up to date. */
async function follow(series: Series, states: StreamStates, headPosition?: Position): Promise<Opened> {
  try {
    const last = await series.newest?.last()
    const end = last
      ? { nextPosition: last.firstPosition + last.count, chain: Buffer.from(last.chainAfter) }
      : series.finishedEnd
    const from = headPosition ?? series.firstPosition
    for await (const block of series.blocks(from, end.nextPosition)) {
      for (const entry of readEntries(block)) if (entry.position >= from) states.follow(entry)
    }
    // What a damaged store has used since the head was on the disk is not known.
    if (series.stores.at(-1)?.damaged) states.raise(series.reserved.seq)
    const newestBytes = series.newest ? await series.sizeBytes(series.newest.number) : 0
    return { series, states, end, newestBytes }
  } catch (error) {
    await series.close()
    throw error
  }
}
