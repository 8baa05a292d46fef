import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { readEntries, readHeader } from './block.ts'
import type { Catalogue, CatalogueStore, DataDisk, Hole } from './catalogue.ts'
import { CHAIN_START } from './chain.ts'
import { findDisk } from './disks.ts'
import type { Position } from './entry.ts'
import { journalPaths } from './paths.ts'
import { inCopy } from './trial.ts'

/** What a store says of itself, and its blocks of what they hold. */
interface Seen {
  readonly firstPosition: Position
  /** The store that it follows; null where it is the first, or does not say. */
  readonly after: number | null
  /** The chain before its first entry, in hex. */
  readonly chain: string
  readonly end: Position
  /** The chain there, in hex. */
  readonly chainAtEnd: string
  readonly begunUs: Us
  readonly endedUs: Us
  readonly seq: number
  readonly holes: readonly Hole[]
}

interface Found {
  readonly number: number
  /** The name of its folder under `aside/`, where it was once set aside. */
  readonly aside: string | undefined
  /** Whether it stands among the stores. */
  readonly stands: boolean
  /** Absent where it cannot be read. */
  readonly seen: Seen | undefined
  /** Another says that it follows this one, which lies somewhere else. */
  readonly elsewhere?: true
  /** The id of the data disk it lies on, if it does. */
  readonly disk?: string
}

/**
 * Makes a lost catalogue anew from the stores. Where one cannot be read, it lies between its neighbours; what salvage had
 * given up for lost is known again by the holes it left. What is confirmed to be elsewhere is not known any more.
 * @param mount where a data disk is mounted, whose stores belong to it too
 * @returns what was reserved is then the highest position and number found
 */
export async function rebuildCatalogue(world: World, directory: string, mount?: string): Promise<Catalogue> {
  const disk = mount === undefined ? undefined : await findDisk(world.files, mount)
  const found = await findStores(world, directory)
  if (disk) {
    const numbers = new Set(found.map(({ number }) => number))
    for (const store of await findStores(world, disk.folder)) {
      if (!numbers.has(store.number)) found.push({ ...store, disk: disk.id })
    }
    found.sort((a, b) => a.number - b.number)
  }
  return catalogueOf(world, found, disk)
}

/**
 * The same from the stores on a data disk alone. What lay in the data folder, by what these say, is on the list as one store
 * there, between those that it lay between.
 */
export async function rebuildFromDisk(world: World, disk: DataDisk): Promise<Catalogue> {
  const found: Found[] = []
  for (const store of await findStores(world, disk.folder)) {
    const after = store.seen?.after ?? null
    if (after !== null && after > (found.at(-1)?.number ?? 0)) {
      found.push({ number: after, aside: undefined, stands: false, seen: undefined, elsewhere: true })
    }
    found.push({ ...store, disk: disk.id })
  }
  return catalogueOf(world, found, disk)
}

/** @param found in order of their numbers */
function catalogueOf(world: World, found: readonly Found[], disk: DataDisk | undefined): Catalogue {
  const end = Math.max(1, ...found.map(({ seen }) => seen?.end ?? 1))
  const seq = Math.max(1, ...found.map(({ seen }) => seen?.seq ?? 1))
  const stores: CatalogueStore[] = []
  found.forEach(({ number, aside, stands, seen, elsewhere, disk: on }, index) => {
    const before = stores.at(-1)
    const after = found.slice(index + 1).find((other) => other.seen)?.seen
    const firstPosition = seen?.firstPosition ?? before?.finished?.nextPosition ?? 1
    const sinceUs = elsewhere ? found[index - 1]?.seen?.endedUs : before?.begunUs
    const begunUs = seen?.begunUs ?? sinceUs ?? after?.begunUs ?? world.clock.wallUs()
    // What cannot be read ends at the latest where the next begins.
    const nextPosition = Math.max(firstPosition, after?.firstPosition ?? end)
    const finished =
      seen && found[index + 1]?.elsewhere
        ? { nextPosition: seen.end, chain: seen.chainAtEnd }
        : { nextPosition, chain: after?.chain ?? CHAIN_START.toString('hex') }
    const begun = { number, firstPosition, begunUs, ...(on !== undefined && { disk: on }) }
    const known = { ...begun, finished }
    if (aside !== undefined) {
      const hole = { fromPosition: firstPosition, toPosition: nextPosition, fromUs: begunUs, toUs: begunUs }
      const holes = seen ? holesOf(seen, nextPosition) : [hole]
      stores.push({ ...known, damaged: { aside, salvaged: stands, holes } })
    } else if (index < found.length - 1) {
      stores.push(known)
    } else {
      stores.push(begun)
    }
  })
  return { reserved: { position: end, seq }, stores, ...(disk && { disks: [disk] }) }
}

function holesOf({ end, endedUs, holes }: Seen, nextPosition: Position): Hole[] {
  const all = holes.filter(({ fromPosition }) => fromPosition < nextPosition)
  if (end >= nextPosition) return all
  return [...all, { fromPosition: end, toPosition: nextPosition, fromUs: endedUs, toUs: endedUs }]
}

async function findStores(world: World, directory: string): Promise<Found[]> {
  const { files } = world
  const paths = journalPaths(directory)
  const aside = new Map<number, string>()
  for (const name of await names(world, paths.aside)) {
    const [, number] = /^\d{4}-\d\d-\d\d-(\d{6,})(?:-\d+)?$/.exec(name) ?? []
    if (number) aside.set(Number(number), name)
  }
  const standing = new Set<number>()
  for (const name of await names(world, paths.stores)) {
    const [, number, old] = /^(\d{6,})(\.old)?$/.exec(name) ?? []
    if (!number) continue
    // A merge was cut off between its two renames.
    if (old && !(await files.info(paths.store(Number(number)))))
      await files.rename(`${paths.stores}/${name}`, paths.store(Number(number)))
    standing.add(Number(number))
  }
  const numbers = [...new Set([...standing, ...aside.keys()])].sort((a, b) => a - b)
  const found: Found[] = []
  for (const number of numbers) {
    const stands = standing.has(number)
    const seen = stands ? await look(world, paths.store(number)) : undefined
    found.push({ number, aside: aside.get(number), stands, seen })
  }
  return found
}

async function look(world: World, path: string): Promise<Seen | undefined> {
  const looks = inCopy(world, path, async function* (store): AsyncGenerator<Seen> {
    const { firstPosition, after, chain } = store.identity
    const holes: Hole[] = []
    let end = firstPosition
    let chainAtEnd = chain
    let begunUs: Us | undefined
    let endedUs = 0
    let seq = 0
    for await (const block of store.blocks(0)) {
      const header = readHeader(block.value)
      if (header.firstPosition > end) {
        const toPosition = header.firstPosition
        holes.push({ fromPosition: end, toPosition, fromUs: endedUs, toUs: header.earliestUs })
      }
      for (const entry of readEntries(block)) if (entry.kind === 'frame') seq = Math.max(seq, entry.seq)
      end = header.firstPosition + header.count
      chainAtEnd = header.chainAfter.toString('hex')
      begunUs ??= header.earliestUs
      endedUs = header.latestUs
    }
    yield {
      firstPosition,
      after,
      chain,
      end,
      chainAtEnd,
      begunUs: begunUs ?? world.clock.wallUs(),
      endedUs,
      seq,
      holes
    }
  })
  try {
    for await (const seen of looks) return seen
  } catch {
    // It is found damaged when it is next opened.
  }
  return undefined
}

async function names({ files }: World, directory: string): Promise<string[]> {
  if (!(await files.info(directory))) return []
  return (await files.list(directory)).map(({ name }) => name).sort()
}
