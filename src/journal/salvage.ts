import type { World } from '../world/world.ts'
import { blockPosition, mayBeBlock, readEntries, readHeader, type StoredBlock } from './block.ts'
import type { CatalogueStore, Hole } from './catalogue.ts'
import { marksOf, type SealedBlock } from './seal.ts'
import { BlockStore, KEY_BYTES } from './store.ts'
import { copyStore } from './store-copy.ts'

/** Blocks put into the new store at once. */
const BATCH = 64

export interface Salvaged {
  readonly blocks: number
  readonly holes: readonly Hole[]
}

/**
 * Makes a new store of what can be read of a damaged one, working on copies only: LevelDB's repair throws away what it
 * does not understand, and puts some of what it does into `lost/`, which is read too.
 * @param aside where the damaged store lies
 * @param target the folder of the new one, which is there only when all is done
 */
export async function salvage(
  world: World,
  damaged: CatalogueStore,
  aside: string,
  target: string,
  signal: AbortSignal
): Promise<Salvaged> {
  const { files } = world
  const work = `${target}.salvage`
  const copies = [`${work}/repaired`, `${work}/lost`, `${work}/carved`]
  await files.remove(work)
  try {
    await files.makeDirectory(work, 0o700)
    const tables = await world.stores.damagedTables(aside)
    await copyStore(world, aside, copies[0]!, tables)
    await world.stores.repair(copies[0]!)
    if (await files.info(`${copies[0]}/lost`)) {
      await copyStore(world, `${copies[0]}/lost`, copies[1]!)
      await world.stores.repair(copies[1]!)
    }
    await carve(world, damaged, aside, tables, copies[2]!)
    const blocks = inOrder(copies.map((copy) => BlockStore.rawBlocks(world, copy)))
    const store = await BlockStore.create(world, `${work}/new`, {
      number: damaged.number,
      firstPosition: damaged.firstPosition,
      after: null,
      chain: ''
    })
    const salvaged = await rebuild(blocks, store, damaged, signal).finally(() => store.close())
    // There already if the last salvage was cut off before the catalogue could say so.
    await files.remove(target)
    await files.rename(`${work}/new`, target)
    await files.syncDirectory(target.slice(0, target.lastIndexOf('/')))
    return salvaged
  } finally {
    await files.remove(work)
  }
}

/** Damaged tables are not shown to LevelDB: what is left of them is found by the blocks' own checksums. */
async function carve(
  world: World,
  { number, firstPosition }: CatalogueStore,
  aside: string,
  tables: readonly string[],
  target: string
): Promise<void> {
  if (tables.length === 0) return
  const store = await BlockStore.create(world, target, { number, firstPosition, after: null, chain: '' })
  try {
    for (const table of tables) {
      for (const value of await world.stores.fragments(`${aside}/${table}`, KEY_BYTES)) {
        if (!mayBeBlock(value)) continue
        const block = { store: number, firstPosition: blockPosition(value), value, dictionaries: store.dictionaries }
        if (isWhole(block)) await store.append([resealed(block)])
      }
    }
  } finally {
    await store.close()
  }
}

/** Several ordered lists of blocks as one, each position once. */
async function* inOrder(lists: ReadonlyArray<AsyncGenerator<StoredBlock>>): AsyncGenerator<StoredBlock> {
  const fronts = await Promise.all(lists.map(async (list) => ({ list, block: (await list.next()).value })))
  for (;;) {
    const present = fronts.filter(({ block }) => block !== undefined)
    if (present.length === 0) return
    const first = Math.min(...present.map(({ block }) => block!.firstPosition))
    const candidates = present.filter(({ block }) => block!.firstPosition === first)
    const whole = candidates.find(({ block }) => isWhole(block!))
    if (whole) yield whole.block!
    for (const front of candidates) front.block = (await front.list.next()).value
  }
}

function isWhole(block: StoredBlock): boolean {
  try {
    readEntries(block)
    return true
  } catch {
    return false
  }
}

function resealed(block: StoredBlock): SealedBlock {
  const header = readHeader(block.value)
  const marks = marksOf(readEntries(block))
  return { ...header, value: Buffer.from(block.value), ...marks, chainAfter: Buffer.from(header.chainAfter) }
}

async function rebuild(
  blocks: AsyncIterable<StoredBlock>,
  store: BlockStore,
  { firstPosition, begunUs, finished, damaged }: CatalogueStore,
  signal: AbortSignal
): Promise<Salvaged> {
  const end = finished?.nextPosition ?? Number.MAX_SAFE_INTEGER
  const holes: Hole[] = []
  let batch: SealedBlock[] = []
  let position = firstPosition
  let latestUs = begunUs
  let count = 0
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await store.append(batch)
    batch = []
  }
  for await (const block of blocks) {
    if (signal.aborted) throw signal.reason
    const header = readHeader(block.value)
    if (block.firstPosition < position || block.firstPosition >= end) continue
    if (block.firstPosition > position) {
      holes.push({
        fromPosition: position,
        toPosition: block.firstPosition,
        fromUs: latestUs,
        toUs: header.earliestUs
      })
    }
    batch.push(resealed(block))
    position = block.firstPosition + header.count
    latestUs = header.latestUs
    count++
    if (batch.length >= BATCH) await flush()
  }
  await flush()
  if (position < end) {
    const toUs = Math.max(latestUs, damaged?.holes[0]?.toUs ?? latestUs)
    holes.push({ fromPosition: position, toPosition: end, fromUs: latestUs, toUs })
  }
  return { blocks: count, holes }
}
