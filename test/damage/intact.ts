import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { journalPaths } from '../../src/journal/paths.ts'
import type { World } from '../../src/world/world.ts'
import type { Original } from './original.ts'

/** A block as it was: the position it stands at, and its bytes. */
type Block = readonly [position: number, value: Buffer]

/** Read by LevelDB alone, from a copy. */
export async function blocksOf(world: World, original: Original, number: number): Promise<Block[]> {
  const copy = `${original.directory}.blocks`
  await cp(journalPaths(original.directory).store(number), copy, { recursive: true })
  const store = await world.stores.open(copy, { create: false })
  const scan = store.scan({ gte: Buffer.from('b'), lt: Buffer.from('c') })
  const blocks: Block[] = []
  for (let pairs = await scan.next(100); pairs.length > 0; pairs = await scan.next(100)) {
    for (const [key, value] of pairs) blocks.push([Number(key.readBigUInt64BE(1)), value])
  }
  await scan.close()
  await store.close()
  await rm(copy, { recursive: true })
  return blocks
}

/** The positions of the blocks whose every byte is still in one of the tables and logs of a damaged store. */
export async function intactIn(directory: string, blocks: readonly Block[]): Promise<number[]> {
  const files: Buffer[] = []
  for (const name of await readdir(directory)) {
    if (/\.(ldb|log)$/.test(name)) files.push(await readFile(`${directory}/${name}`))
  }
  return blocks.flatMap(([position, value]) => (files.some((file) => file.includes(value)) ? [position] : []))
}
