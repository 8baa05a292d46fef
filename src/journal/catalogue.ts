import { hash } from 'node:crypto'
import { UnderstudyError } from '../errors.ts'
import { type Files, writeDurably } from '../world/files.ts'
import type { Us } from '../world/time.ts'
import type { JournalEvent, Position } from './entry.ts'

/*
 * The catalogue lists the stores of a journal. It is a text file of two lines. The first can be read by every release:
 * 'understudy-catalogue', the version of what follows, a position that no entry had reached when it was written, and
 * the SHA-256 of version, space, position, line feed and the second line. The second is JSON.
 */
const MAGIC = 'understudy-catalogue'
const VERSION = 1

export interface CatalogueStore {
  readonly number: number
  /** Of its first entry. */
  readonly firstPosition: Position
  /** When it was begun, wall time. */
  readonly begunUs: Us
  /** The id of the data disk that it lies on; absent: it lies in the data folder. */
  readonly disk?: string
  /** Set when it is finished. */
  readonly finished?: StoreFinish
  /** Set when its small blocks have become larger ones. */
  readonly merged?: boolean
  /** Set when it was found damaged and set aside. */
  readonly damaged?: Damage
  /** Set when it was removed while an earlier one is kept: it leaves the list together with that one. */
  readonly removed?: true
}

export interface StoreFinish {
  /** The position after its last entry, and the chain there, in hex. */
  readonly nextPosition: Position
  readonly chain: string
  /**
   * What the positions from there to the next store's first are, where there are any. `unknown`: it was finished while
   * its disk was away, and may hold some of them. `unused`: it was looked at since, and no entry ever had them. Absent:
   * they are lost.
   */
  readonly rest?: 'unknown' | 'unused'
  /**
   * Set where it is not known what it holds, and `nextPosition` lies above all that can have been used: up to here it is
   * known to have been, and the chain is the one here. Null where nothing tells.
   */
  readonly usedTo?: Position | null
}

/** A disk that stores lie on besides the data folder's. */
export interface DataDisk {
  /** Part of its folder's name on it (see disks.ts). */
  readonly id: string
  /** Its folder on it, where it was last mounted. */
  readonly folder: string
}

interface Damage {
  /** The name of its folder under `aside/`. */
  readonly aside: string
  /** Whether what could be read of it stands in its place again. */
  readonly salvaged: boolean
  /** What is missing of it. */
  readonly holes: readonly Hole[]
  /** Set when its folder under `aside/` was removed. */
  readonly asideRemoved?: boolean
}

/** What retention took away, as it goes on record. */
export type Removal = Extract<JournalEvent, { event: 'removed' }>

/** Entries that are gone, `toPosition` exclusive, and between which times they were made. */
export interface Hole {
  readonly fromPosition: Position
  readonly toPosition: Position
  readonly fromUs: Us
  readonly toUs: Us
}

export interface Catalogue {
  /** No entry has this position, and no frame this number in its stream: after a damage one goes on from here. */
  readonly reserved: { readonly position: Position; readonly seq: number }
  /** In order; the last is the one that is written. */
  readonly stores: readonly CatalogueStore[]
  readonly disks?: readonly DataDisk[]
  /** Everything before this position is known to be elsewhere too. */
  readonly confirmed?: Position
  /** Stores are removed from the front: when the first of them was begun, and where the last of them ended. */
  readonly removed?: { readonly fromUs: Us; readonly nextPosition: Position; readonly chain: string }
  /** Removals that are not known to be both done on the disk and on record in the journal. */
  readonly removals?: readonly Removal[]
  /** From this position on it was written from this data folder; what is before it came with a data disk (adopt.ts). */
  readonly adopted?: Position
  /** In the copy on a data disk only: the id of that disk. */
  readonly copyOn?: string
}

/** `undefined` when there is none. @throws UNDERSTUDY_CATALOGUE_DAMAGED, UNDERSTUDY_STORE_NEWER */
export async function readCatalogue(files: Files, path: string): Promise<Catalogue | undefined> {
  if (!(await files.info(path))) return undefined
  const { version, json } = await readFrozen(files, path)
  if (version !== String(VERSION)) throw new UnderstudyError('UNDERSTUDY_STORE_NEWER', `catalogue version ${version}`)
  return JSON.parse(json) as Catalogue
}

/** The position that no entry had reached, of any release's catalogue. @throws UNDERSTUDY_CATALOGUE_DAMAGED */
export async function readFrozenPosition(files: Files, path: string): Promise<Position> {
  return (await readFrozen(files, path)).position
}

async function readFrozen(files: Files, path: string): Promise<{ version: string; position: Position; json: string }> {
  const [header = '', json = ''] = (await files.readFile(path)).toString('utf8').split('\n')
  const [magic, version = '', position = '', digest] = header.split(' ')
  if (magic !== MAGIC) throw new UnderstudyError('UNDERSTUDY_CATALOGUE_DAMAGED', 'it does not begin as one')
  if (digest !== digestOf(version, position, json)) {
    throw new UnderstudyError('UNDERSTUDY_CATALOGUE_DAMAGED', 'its hash is wrong')
  }
  return { version, position: Number(position), json }
}

/** Durable when it resolves. */
export async function writeCatalogue(files: Files, path: string, catalogue: Catalogue): Promise<void> {
  const json = JSON.stringify(catalogue)
  const { position } = catalogue.reserved
  const digest = digestOf(String(VERSION), String(position), json)
  await writeDurably(files, path, `${MAGIC} ${VERSION} ${position} ${digest}\n${json}\n`)
}

/** Removed stores leave the list from its front. */
export function withoutFirst(catalogue: Catalogue): Catalogue {
  const [first, ...stores] = catalogue.stores
  if (!first?.removed || !first.finished) return catalogue
  const { nextPosition, chain } = first.finished
  const { fromUs } = catalogue.removed ?? { fromUs: first.begunUs }
  return withoutFirst({ ...catalogue, stores, removed: { fromUs, nextPosition, chain } })
}

function digestOf(version: string, position: string, json: string): string {
  return hash('sha256', `${version} ${position}\n${json}`)
}

/** Up to where a finished store has entries, or else has lost them. */
export function usedEnd({ nextPosition, usedTo }: StoreFinish): Position {
  return usedTo ?? nextPosition
}
