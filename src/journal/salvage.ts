import type { World } from '../world/world.ts'
import { type BlockHeader, blockPosition, mayBeBlock, readEntries, readHeader, type StoredBlock } from './block.ts'
import { type CatalogueStore, type Hole, usedEnd } from './catalogue.ts'
import { dictionaries } from './dictionary.ts'
import type { Position } from './entry.ts'
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
 * @param asides where it lies, and what was set aside of the same store before; of two that have a block, the first gives it
 * @param target the folder of the new one, which is there only when all is done
 */
export async function salvage(
  world: World,
  damaged: CatalogueStore,
  asides: readonly string[],
  target: string,
  signal: AbortSignal
): Promise<Salvaged> {
  const { files } = world
  const work = `${target}.salvage`
  await files.remove(work)
  try {
    const readable: Array<AsyncGenerator<StoredBlock>> = []
    for (const [index, aside] of asides.entries()) {
      const copies = await readableCopies(world, damaged, aside, `${work}/${index}`)
      readable.push(...copies.map((copy) => BlockStore.rawBlocks(world, copy)), inLogs(world, damaged, aside))
    }
    const blocks = inOrder(readable)
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

/** Makes stores that LevelDB can open of what lies in a damaged one. Gives their folders, which need not be there. */
async function readableCopies(world: World, damaged: CatalogueStore, aside: string, work: string): Promise<string[]> {
  const { files, stores } = world
  const [repaired, lost, carved] = [`${work}/repaired`, `${work}/lost`, `${work}/carved`]
  const tables = await stores.damagedTables(aside)
  await copyStore(world, aside, repaired, tables)
  await stores.repair(repaired)
  if (await files.info(`${repaired}/lost`)) {
    await copyStore(world, `${repaired}/lost`, lost)
    await stores.repair(lost)
  }
  await carve(world, damaged, aside, tables, carved)
  return [repaired, lost, carved]
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
        const whole = resealed(block)
        if (whole) await store.append([whole])
      }
    }
  } finally {
    await store.close()
  }
}

/**
 * What is whole in the logs, in order. LevelDB's repair makes tables of them, but says nothing when there was no room for
 * one, and leaves out all that is behind a damaged record in the same 32 kB.
 */
async function* inLogs(
  { files, stores }: World,
  { number }: CatalogueStore,
  aside: string
): AsyncGenerator<StoredBlock> {
  const blocks = new Map<Position, StoredBlock>()
  for (const { name } of await files.list(aside)) {
    if (!name.endsWith('.log')) continue
    for (const value of await stores.fragments(`${aside}/${name}`, KEY_BYTES)) {
      if (!mayBeBlock(value)) continue
      const block = { store: number, firstPosition: blockPosition(value), value, dictionaries }
      if (resealed(block)) blocks.set(block.firstPosition, block)
    }
  }
  yield* [...blocks.values()].sort((a, b) => a.firstPosition - b.firstPosition)
}

/** What is whole in several ordered lists of blocks, as one, each position once. */
async function* inOrder(lists: ReadonlyArray<AsyncGenerator<StoredBlock>>): AsyncGenerator<WholeSealedBlock> {
  const fronts = await Promise.all(lists.map(async (list) => ({ list, block: (await list.next()).value })))
  for (;;) {
    const present = fronts.filter(({ block }) => block !== undefined)
    if (present.length === 0) return
    const first = Math.min(...present.map(({ block }) => block!.firstPosition))
    const candidates = present.filter(({ block }) => block!.firstPosition === first)
    for (const { block } of candidates) {
      const whole = resealed(block!)
      if (!whole) continue
      yield whole
      break
    }
    for (const front of candidates) front.block = (await front.list.next()).value
  }
}

type WholeSealedBlock = SealedBlock & BlockHeader

/** `undefined` where it cannot be read. */
function resealed(block: StoredBlock): WholeSealedBlock | undefined {
  try {
    const value = Buffer.from(block.value)
    const header = readHeader(value)
    return { ...header, value, ...marksOf(readEntries({ ...block, value, header })) }
  } catch {
    return undefined
  }
}

async function rebuild(
  blocks: AsyncIterable<WholeSealedBlock>,
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
    if (block.firstPosition < position || block.firstPosition >= end) continue
    if (block.firstPosition > position) {
      holes.push({
        fromPosition: position,
        toPosition: block.firstPosition,
        fromUs: latestUs,
        toUs: block.earliestUs
      })
    }
    batch.push(block)
    position = block.firstPosition + block.count
    latestUs = block.latestUs
    count++
    if (batch.length >= BATCH) await flush()
  }
  await flush()
  const used = finished ? usedEnd(finished) : position
  if (position < used) {
    const toUs = Math.max(latestUs, damaged?.holes[0]?.toUs ?? latestUs)
    holes.push({ fromPosition: position, toPosition: used, fromUs: latestUs, toUs })
  }
  return { blocks: count, holes }
}
