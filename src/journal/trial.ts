import type { Files } from '../world/files.ts'
import type { World } from '../world/world.ts'
import { readHeader } from './block.ts'
import type { Hole } from './catalogue.ts'
import type { Position } from './entry.ts'
import type { Proof } from './proof.ts'
import { BlockStore } from './store.ts'
import { copyStore } from './store-copy.ts'

/** Where a store ends; absent when it is empty. */
export type StoreEnd = { readonly nextPosition: Position; readonly chain: Buffer } | undefined

/**
 * Opens a copy of a store to see whether it is whole. The store itself is only opened after that: over a damaged table
 * LevelDB ends the process, it deletes the tables that a damaged MANIFEST does not name, and it drops what it does not
 * understand of a log without a word.
 * @param finished where a finished store ends, and what is known to be missing of it
 * @param proof what of it need not be read
 * @throws whatever is wrong with it
 */
export async function tryStore(
  world: World,
  path: string,
  firstPosition: Position,
  finished: { readonly end: Position; readonly holes: readonly Hole[] } = { end: 0, holes: [] },
  proof: Proof = { tables: new Set(), position: 0 }
): Promise<StoreEnd> {
  const use = async function* (store: BlockStore): AsyncGenerator<StoreEnd> {
    const last = await store.last()
    await requireContiguous(store, Math.max(firstPosition, proof.position), finished)
    yield last && { nextPosition: last.firstPosition + last.count, chain: Buffer.from(last.chainAfter) }
  }
  const ends = inCopy(world, path, use, proof.tables)
  for await (const end of ends) return end
  return undefined
}

/**
 * Uses a copy of a store, which may be one that must not be opened itself.
 * @param proved tables that need not be read
 * @throws whatever keeps LevelDB from opening it
 */
export async function* inCopy<T>(
  world: World,
  path: string,
  use: (store: BlockStore) => AsyncIterable<T>,
  proved?: ReadonlySet<string>
): AsyncGenerator<T> {
  // Several may look at a store at once, each at its own copy.
  const copy = `${path}.look-${world.random.bytes(4).toString('hex')}`
  const { files } = world
  try {
    await requireManifest(files, path)
    const damaged = await world.stores.damagedTables(path, proved)
    if (damaged.length > 0) throw new Error(`damaged tables: ${damaged.join(', ')}`)
    await copyStore(world, path, copy)
    const store = await BlockStore.open(world, copy)
    try {
      yield* use(store)
    } finally {
      await store.close()
    }
  } finally {
    await files.remove(copy)
  }
}

/** Without CURRENT, LevelDB can take a store for a new one. */
async function requireManifest(files: Files, path: string): Promise<void> {
  const [, manifest] = /^(MANIFEST-\d+)\n$/.exec((await files.readFile(`${path}/CURRENT`)).toString('latin1')) ?? []
  if (!manifest) throw new Error('CURRENT names no MANIFEST')
  const info = await files.info(`${path}/${manifest}`)
  if (!info || info.sizeBytes === 0) throw new Error('the MANIFEST is missing or empty')
}

async function requireContiguous(
  store: BlockStore,
  from: Position,
  { end, holes }: { readonly end: Position; readonly holes: readonly Hole[] }
): Promise<void> {
  let position = from
  const reach = (next: Position): void => {
    const hole = holes.find(({ fromPosition }) => fromPosition === position)
    if (next > position && hole?.toPosition !== next) throw new Error(`positions from ${position} on are missing`)
  }
  for await (const { value, firstPosition } of store.blocks(from)) {
    const header = readHeader(value)
    if (header.firstPosition !== firstPosition) throw new Error(`position ${firstPosition} is another's`)
    reach(header.firstPosition)
    position = header.firstPosition + header.count
  }
  reach(Math.max(end, from))
}
