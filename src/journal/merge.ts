import { UnderstudyError } from '../errors.ts'
import type { Us } from '../world/time.ts'
import type { World } from '../world/world.ts'
import { type BlockHeader, encodeBlock, readHeader, readParts, type StoredBlock } from './block.ts'
import type { Part } from './body.ts'
import type { CatalogueStore } from './catalogue.ts'
import { chainAfter, marksOf, type SealedBlock } from './seal.ts'
import type { Series } from './series.ts'
import { BlockStore, type Identity } from './store.ts'

/** Payload bytes of a merged block at most, unless a block to be merged has more. */
const BLOCK_BYTES = 256 * 1024
/** Blocks that begin in the same minute become one. */
const BLOCK_US: Us = 60_000_000
/** What is handed to LevelDB at once. */
const BATCH_BYTES = 1024 * 1024

/** A finished store. */
export type Finished = CatalogueStore & Required<Pick<CatalogueStore, 'finished'>>

/**
 * Makes a store of a finished one in which small blocks have become blocks of about a minute, and reads it back. Its
 * entries, their salts and so the chain are the same. It is on the disk when this resolves.
 * @param target the folder of the new store; what is there is removed first
 * @param pause called after each piece of work, a few ms long; what it throws ends the merging
 * @throws UNDERSTUDY_BLOCK_DAMAGED when the finished store is not whole
 */
export async function mergeStore(
  world: World,
  series: Series,
  store: Finished,
  target: string,
  pause: () => Promise<void>
): Promise<void> {
  const { files } = world
  await files.remove(target)
  const identity = await series.identity(store.number)
  const merged = await BlockStore.create(world, target, identity)
  try {
    let batch: SealedBlock[] = []
    let bytes = 0
    const flush = async (): Promise<void> => {
      if (batch.length > 0) await merged.append(batch)
      batch = []
      bytes = 0
    }
    for await (const block of mergedBlocks(proved(series.blocksOfStore(store, store.firstPosition), identity, store))) {
      const sealed = seal(block, merged)
      batch.push(sealed)
      bytes += sealed.value.length
      if (bytes >= BATCH_BYTES) await flush()
      await pause()
    }
    await flush()
    await merged.compact()
  } finally {
    await merged.close()
  }
  const written = await BlockStore.open(world, target)
  try {
    for await (const _ of proved(written.blocks(0), identity, store)) await pause()
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error
    throw new Error('what was written is not what was read', { cause: error })
  } finally {
    await written.close()
  }
  await files.syncDirectory(target)
}

/** What is in one block, or will be. */
interface Content {
  readonly parts: readonly Part[]
  readonly chainBefore: Buffer
  readonly chainAfter: Buffer
  readonly beganUs: Us
  readonly payloadBytes: number
}

/** Reads a whole store and proves on the way that it is whole: positions, digests and chain, from its beginning to its end. */
async function* proved(
  blocks: AsyncIterable<StoredBlock>,
  { firstPosition, chain: begin }: Identity,
  { finished: end }: Finished
): AsyncGenerator<Content> {
  let position = firstPosition
  let chain: Buffer = Buffer.from(begin, 'hex')
  try {
    for await (const block of blocks) {
      const header = readHeader(block.value)
      const parts = readParts({ ...block, header })
      if (block.firstPosition !== position || !header.chainBefore.equals(chain)) throw new Error('it does not follow')
      chain = parts.reduce<Buffer>(chainAfter, header.chainBefore)
      if (!chain.equals(header.chainAfter)) throw new Error('its content is not what its hash says')
      position += header.count
      yield contentOf(header, parts)
    }
    if (position !== end.nextPosition || chain.toString('hex') !== end.chain) throw new Error('the end is missing')
  } catch (error) {
    if (error instanceof UnderstudyError) throw error
    throw new UnderstudyError('UNDERSTUDY_BLOCK_DAMAGED', `at position ${position}`, { cause: error })
  }
}

function contentOf({ chainBefore, chainAfter, earliestUs }: BlockHeader, parts: readonly Part[]): Content {
  let payloadBytes = 0
  for (const { entries } of parts) for (const { payload } of entries) payloadBytes += payload.length
  return { parts, chainBefore, chainAfter, beganUs: earliestUs, payloadBytes }
}

async function* mergedBlocks(blocks: AsyncIterable<Content>): AsyncGenerator<Content> {
  let group: Content | undefined
  for await (const block of blocks) {
    if (group && sameMinute(group, block) && group.payloadBytes + block.payloadBytes <= BLOCK_BYTES) {
      group = joined(group, block)
      continue
    }
    if (group) yield group
    group = block
  }
  if (group) yield group
}

function sameMinute(a: Content, b: Content): boolean {
  return Math.floor(a.beganUs / BLOCK_US) === Math.floor(b.beganUs / BLOCK_US)
}

function joined(first: Content, next: Content): Content {
  return {
    ...first,
    parts: first.parts.concat(next.parts),
    chainAfter: next.chainAfter,
    payloadBytes: first.payloadBytes + next.payloadBytes
  }
}

function seal({ parts, chainBefore, chainAfter }: Content, { dictionaries, dictionary }: BlockStore): SealedBlock {
  const marks = marksOf(parts.flatMap(({ entries }) => entries))
  return { ...encodeBlock(parts, chainBefore, chainAfter, dictionaries, dictionary), ...marks, chainAfter }
}
